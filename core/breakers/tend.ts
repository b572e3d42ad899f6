import type { PlaceDeps } from '../hints/place.ts';
import type { BacklogStore } from '../ports/backlog-store.ts';
import { changeBreaker, typeOfKey, type BreakerDeps } from './change.ts';
import { tend } from './decide.ts';
import { wakeLanes } from './report.ts';

/** The minute's work: counts those that are not closed, and closes those that nobody asks any more. */
export async function tendBreakers(deps: BreakerDeps & PlaceDeps & { readonly backlog: BacklogStore }): Promise<void> {
  for (const { key } of await deps.breakers.notClosed()) {
    const { answer: closes } = await changeBreaker(deps, key, (breaker, now) => {
      const next = tend(breaker, now);
      return { answer: next?.state === 'closed', ...(next && { next }) };
    });
    const type = typeOfKey(key);
    if (closes && type !== undefined) await wakeLanes(deps, type);
    else if (!closes) deps.telemetry.count('breaker.open', type);
  }
}
