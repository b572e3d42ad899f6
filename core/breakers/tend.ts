import type { PlaceDeps } from '../hints/place.ts';
import type { BacklogStore } from '../ports/backlog-store.ts';
import type { TypeRegistry } from '../ports/type-registry.ts';
import { changeBreaker, type BreakerDeps } from './change.ts';
import { tend } from './decide.ts';
import { typeOfKey } from './keys.ts';
import { wakeLanes } from './report.ts';

/** The minute's work: counts those that are not closed, and closes those that nobody asks any more. */
export async function tendBreakers(
  deps: BreakerDeps & PlaceDeps & { readonly backlog: BacklogStore; readonly types: TypeRegistry },
): Promise<void> {
  for (const { key } of await deps.breakers.notClosed()) {
    const { answer: closes } = await changeBreaker(deps, key, (breaker, now) => {
      const next = tend(breaker, now);
      return { answer: next?.state === 'closed', ...(next && { next }) };
    });
    if (closes) await wakeLanes(deps, key);
    else deps.telemetry.count('breaker.open', typeOfKey(key));
  }
}
