import type { Clock } from '../ports/clock.ts';
import type { ControlQueue } from '../ports/control-queue.ts';
import type { Lane } from '../ports/permit-store.ts';
import type { NotedLanes } from './park.ts';
import { laneKey } from '../permits/lane-key.ts';

/** Control is told of a lane by one environment this often at most. */
const TELL_MS = 5_000;

/** Tells control that a lane has less than it has work for, so that it divides again within seconds. Best effort. */
export async function tellControl(
  deps: { readonly control?: ControlQueue; readonly clock: Clock },
  noted: NotedLanes,
  { tenant, type }: Lane,
): Promise<void> {
  if (!deps.control) return;
  const key = `control#${laneKey({ tenant, type })}`;
  const now = deps.clock.now();
  if (now - (noted.get(key) ?? Number.NEGATIVE_INFINITY) < TELL_MS) return;
  noted.set(key, now);
  await deps.control.tell({ v: 1, kind: 'divide', made: now, tenant, type });
}
