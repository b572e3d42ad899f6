import type { Context } from 'aws-lambda';
import { minuteTick, type TickDeps } from '../../core/timers/minute-tick.ts';

/** Time left for the answer, ms. */
const MARGIN_MS = 15_000;

/** The minute's tick. Two at once are harmless, and a missed one is made up for. */
export function createHandler(deps: TickDeps) {
  return async (_event: unknown, context: Context): Promise<void> => {
    await minuteTick(deps, deps.clock.now() + context.getRemainingTimeInMillis() - MARGIN_MS);
  };
}
