import { AWS_LIMITS } from '@sluice/contracts';
import { placeLaneHints, type PlaceDeps } from '../hints/place.ts';
import type { Cell, Lane, PermitStore } from '../ports/permit-store.ts';

/**
 * Tells a lane when its rates or its pause let it go on: by one hint, however often it is asked for. One that is too far away
 * for a queue comes as late as it can, and asks again. Best effort, as the minute's tick tells the lane too.
 * @param at ms
 * @param first the first cell, where it has just been seen: it may say that the lane is told anyway
 */
export async function wakeLane(
  deps: PlaceDeps & { readonly permits: Pick<PermitStore, 'wake'> },
  lane: Lane,
  at: number,
  first?: Cell,
): Promise<void> {
  const now = deps.clock.now();
  const delaySeconds = Math.max(1, Math.min(AWS_LIMITS.queueDelaySeconds, Math.ceil((at - now) / 1000)));
  const told = now + delaySeconds * 1000;
  if (first?.wakeAt !== undefined && first.wakeAt > now && first.wakeAt <= told) return;
  if (await deps.permits.wake(lane, told, now)) await placeLaneHints(deps, [lane], delaySeconds);
}
