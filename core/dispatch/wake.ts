import { AWS_LIMITS } from '@sluice/contracts';
import { placeLaneHints } from '../hints/place.ts';
import type { Lane } from '../ports/permit-store.ts';
import type { DispatchDeps } from './work.ts';

/**
 * Tells a lane when its rates let it go on: by one hint, however often it is asked for. One that is too far away for a queue
 * comes as late as it can, and asks again. Best effort, as the minute's tick tells the lane too.
 * @param at ms
 */
export async function wakeLane(deps: DispatchDeps, lane: Lane, at: number): Promise<void> {
  const now = deps.clock.now();
  const delaySeconds = Math.max(1, Math.min(AWS_LIMITS.queueDelaySeconds, Math.ceil((at - now) / 1000)));
  if (await deps.permits.wake(lane, now + delaySeconds * 1000, now)) await placeLaneHints(deps, [lane], delaySeconds);
}
