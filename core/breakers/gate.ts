import type { Breaker, BreakerCanary } from '@sluice/contracts';
import type { BreakerStore } from '../ports/breaker-store.ts';
import type { Lane } from '../ports/permit-store.ts';
import type { TypeRegistry } from '../ports/type-registry.ts';
import { changeBreaker, PROBE_TRIES, type BreakerDeps } from './change.ts';
import { admit, isShut, onProbeUndone } from './decide.ts';
import { breakersOfType } from './keys.ts';

/** What a caller may have: without a store nothing is ever held. */
export type GateDeps = Omit<BreakerDeps, 'breakers'> & { readonly breakers?: BreakerStore; readonly types: TypeRegistry };

/**
 * Whether the breakers of a type and its resources let attempts pass: all, none, or a few as probes. By what is known, so
 * that it costs no call.
 */
export async function gateOf(deps: GateDeps, type: string, ahead = 0): Promise<'open' | 'shut' | 'probing'> {
  const known = await notClosed(deps, type);
  if (known.length === 0) return 'open';
  return known.some((breaker) => isShut(breaker, deps.clock.now() + ahead)) ? 'shut' : 'probing';
}

/** Of the breakers that a type's attempts pass, those that are not closed as known, the resources' first. */
async function notClosed({ breakers, types }: GateDeps, type: string): Promise<readonly Breaker[]> {
  if (!breakers) return [];
  const known = await Promise.all((await breakersOfType(types, type)).map((key) => breakers.known(key)));
  return known.flatMap((breaker) => (breaker && breaker.state !== 'closed' ? [breaker] : []));
}

export interface Passed<W> {
  readonly pass: readonly W[];
  readonly held: readonly W[];
  readonly canary?: BreakerCanary;
}

/**
 * Asks the breakers which of a lane's attempts may start. Of several that probe, a resource's decides before the type's own: an
 * attempt is the probe of one. On the happy path it costs no call.
 */
export async function passGate<W extends { readonly task: { readonly uid: string; readonly again?: unknown } }>(
  deps: GateDeps,
  lane: Lane,
  works: readonly W[],
  until: number,
): Promise<Passed<W>> {
  const { breakers } = deps;
  const known = await notClosed(deps, lane.type);
  if (!breakers || known.length === 0) return { pass: works, held: [] };
  if (known.some((breaker) => isShut(breaker, deps.clock.now()))) return { pass: [], held: works };
  // What has not failed yet says more of the type than what has.
  const wanted = works.toSorted((a, b) => Number(a.task.again !== undefined) - Number(b.task.again !== undefined));
  const admission = { ...lane, uids: wanted.map(({ task }) => task.uid), until };
  for (const { key } of known) {
    const { answer, written } = await changeBreaker({ ...deps, breakers }, key, (b, now) => admit(b, admission, now));
    // It has closed since.
    if (answer === 'all') continue;
    const uids = new Set(written ? answer.uids : []);
    return { pass: works.filter((w) => uids.has(w.task.uid)), held: works.filter((w) => !uids.has(w.task.uid)), canary: answer.canary };
  }
  return { pass: works, held: [] };
}

/** Gives the places of probes back that never ran. Best effort: they count as lost when their time is over. */
export async function undoProbes(deps: Omit<GateDeps, 'types'>, canary: BreakerCanary | undefined, uids: readonly string[]): Promise<void> {
  const { breakers } = deps;
  if (!breakers || !canary || uids.length === 0) return;
  try {
    await changeBreaker({ ...deps, breakers }, canary.breaker, (b) => onProbeUndone(b, uids, canary.opening), PROBE_TRIES);
  } catch (error) {
    deps.telemetry.log('warn', 'probes not given back', { breaker: canary.breaker, error });
  }
}
