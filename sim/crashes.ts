import type { Simulation } from './simulation.ts';

/** The type whose handler crashes. */
export const FRAGILE = 'fragile';
const POISON = `${FRAGILE}-3`;
/** From when to when no run of it lives, ms from the beginning. */
const OUTAGE = { from: 45_000, to: 200_000 };

/**
 * Whether this task crashes whatever runs it. Its handler is mended when the faults end: a type of which nothing but
 * poison is left is held for up to a day, since nobody can tell that from an outage.
 */
export function isPoison(sim: Simulation, type: string, id: string): boolean {
  return sim.profile.poisons && !sim.calm && type === FRAGILE && id === POISON;
}

/** Whether every run of the type crashes now. */
export function isDown({ profile, calm, kernel, startedAt }: Simulation, type: string): boolean {
  const since = kernel.now() - startedAt;
  return profile.outages && !calm && type === FRAGILE && since >= OUTAGE.from && since < OUTAGE.to;
}
