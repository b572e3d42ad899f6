import type { TaskRow, TaskTypeSpec } from '@sluice/contracts';
import { toldOf } from '../notify/told.ts';
import { endEvent } from '../tasks/event.ts';
import { permitOf, type EffectDeps, type Effects } from './effects.ts';

/**
 * ms after an end in which its deliveries are submitted again by whoever repeats its effects. No hint or record of an
 * attempt lives for longer (14 days), and the ids of deliveries are kept for longer: so none is told anew when an id is
 * freed long after.
 */
const DELIVERIES_REPEATED_MS = 13 * 86_400_000;

/** The permit's release alone. */
export function releaseOf(row: TaskRow): Effects {
  const release = permitOf(row);
  return release ? { release } : {};
}

/** The effects of a row that is terminal: repeatable, and the same each time. @throws where its type is not known for now */
export async function effectsOf(deps: EffectDeps, row: TaskRow): Promise<Effects> {
  return effectsWith(await deps.types.get(row.type), row, deps.clock.now());
}

/** The same where the type is at hand. */
export function effectsWith(spec: TaskTypeSpec | undefined, row: TaskRow, now: number): Effects {
  const told = toldOf(row, spec?.notify);
  const due = now - (row.endedAt ?? now) < DELIVERIES_REPEATED_MS ? told.receivers : [];
  return {
    ...releaseOf(row),
    ...(told.event && { event: endEvent(row) }),
    ...(due.length > 0 && { deliveries: due.map((to) => ({ row, to })) }),
  };
}
