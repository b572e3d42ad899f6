import { SluiceError, type TaskRow } from '@sluice/contracts';
import { placeHints, type PlaceDeps } from '../hints/place.ts';
import { HINT_TIMES } from '../hints/timing.ts';
import { hintOf } from '../tasks/state.ts';

/** Whether a row is confirmed, or about to be put, so late that its hint may have been dropped for want of it. */
export function confirmedLate(hintMade: number, now: number): boolean {
  return now - hintMade > HINT_TIMES.confirmMs;
}

export function notHinted(): SluiceError {
  return new SluiceError('unavailable', 'the queue did not take the task; submit it again with the same id');
}

/** Makes a hint for a row as it is. @returns when it was made, ms @throws SluiceError `unavailable` */
export async function hintAgain(deps: PlaceDeps, row: TaskRow): Promise<number> {
  const made = deps.clock.now();
  const [durable] = await placeHints(deps, [{ tenant: row.tenant, task: hintOf(row, made) }]);
  if (durable !== true) throw notHinted();
  return made;
}
