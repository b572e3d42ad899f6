import { SluiceError } from '@sluice/contracts';
import { placeLaneHints } from '../hints/place.ts';
import { cellLimits, livePermits } from '../permits/cells.ts';
import type { Lane } from '../ports/permit-store.ts';
import { logStep } from '../tasks/step.ts';
import type { DispatchDeps, Work } from './work.ts';

/** A lane's note among those that the minute looks at is renewed this often, well before it may be taken away. */
const RENEW_MS = 120_000;
/** The minute takes a note away only when it is older than this and the lane's flags are down. */
export const NOTE_MS = 300_000;

/** Which lanes this environment has noted, and when. */
export type NotedLanes = Map<string, number>;

/**
 * Puts hints into their lane's backlog: the lane's note, the items, the flag; only after that may their messages go.
 * @throws when it is unknown whether all of it is durable.
 */
export async function park(deps: DispatchDeps, noted: NotedLanes, lane: Lane, limit: number, works: readonly Work[]): Promise<void> {
  await note(deps, noted, lane);
  await deps.backlog.put(
    lane,
    works.map((w) => w.task),
  );
  const limits = cellLimits(limit);
  const cells = await Promise.all(limits.map((_, cell) => deps.permits.raise(lane, cell)));
  deps.telemetry.count('hint.parked', lane.type, works.length);
  for (const { task } of works) logStep(deps.telemetry, 'parked', { ...lane, id: task.id, uid: task.uid });
  const now = deps.clock.now();
  // Permits that were given back before the flag was up told nobody.
  if (cells.some((cell, i) => livePermits(cell, now).length < (limits[i] ?? 0))) await placeLaneHints(deps, [lane]);
}

async function note(deps: DispatchDeps, noted: NotedLanes, lane: Lane): Promise<void> {
  const key = `${lane.tenant}#${lane.type}`;
  const now = deps.clock.now();
  if (now - (noted.get(key) ?? Number.NEGATIVE_INFINITY) < RENEW_MS) return;
  try {
    await deps.backlog.register(lane, now);
  } catch (cause) {
    throw new SluiceError('unavailable', `lane ${key} could not be noted`, { cause });
  }
  noted.set(key, now);
}
