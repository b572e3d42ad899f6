import type { RoutingDocument } from '@sluice/contracts';
import { quotasSet, type ControlStep } from '../control/round.ts';
import type { RoutingStore } from '../ports/routing-store.ts';
import type { Timer } from '../ports/timer.ts';
import { lookAround, type LookDeps } from './look-around.ts';
import { nextDocument, NO_ROUTING } from './next-document.ts';

/** While some queue is deep, the minute's round looks again so often, each time so many ms later. */
const READINGS = 4;
const BETWEEN_MS = 15_000;

export interface TendRoutingDeps extends LookDeps {
  readonly routes: RoutingStore;
  readonly timer: Timer;
}

/**
 * One reading of all queues, and what follows from it. What is to be done to dedicated queues is recorded before it is done
 * and once it is: the state says what is asked for, the effects may be repeated, and the next state is written on condition
 * that nobody has written since. So a crash between any two calls, and two of it at once, come to the same.
 * @returns the document as it is now; `undefined` when somebody else has written meanwhile
 */
export async function tendRouting(deps: TendRoutingDeps): Promise<RoutingDocument | undefined> {
  const document = (await deps.routes.read()) ?? NO_ROUTING;
  const observed = await lookAround(deps, document);
  const next = nextDocument(document, observed, deps.routing, deps.routingSettings, deps.clock.now());
  if (next === document) return document;
  if (!(await deps.routes.write(next))) return undefined;
  tell(deps, document, next);
  return next;
}

function tell({ telemetry }: TendRoutingDeps, before: RoutingDocument, after: RoutingDocument): void {
  for (const entry of after.dedicated) {
    const { tenant, generation, state } = entry;
    if (before.dedicated.some((old) => old.generation === generation && old.state === state)) continue;
    if (state === 'active') telemetry.count('routing.promoted', undefined);
    if (state === 'draining') telemetry.count('routing.demoted', undefined);
    telemetry.log('info', 'dedicated queue', { tenant, generation, state });
  }
  for (const { tenant, generation } of before.dedicated) {
    if (!after.dedicated.some((entry) => entry.generation === generation)) {
      telemetry.log('info', 'dedicated queue', { tenant, generation, state: 'gone' });
    }
  }
  for (const { tenant, shards } of after.moved) {
    if (before.moved.some((old) => old.tenant === tenant)) continue;
    telemetry.count('routing.moved', undefined);
    telemetry.log('info', 'moved off busy queues', { tenant, shards });
  }
}

/** The step of control: a reading each minute, four of them while some queue is deep, and one when a quota was set. */
export function routingStep(deps: TendRoutingDeps): ControlStep {
  return {
    name: 'routing',
    run: async ({ minute, told, deadline }) => {
      if (!minute) {
        // Whoever has written meanwhile may not have seen the quota.
        if (quotasSet(told).length > 0 && !(await tendRouting(deps))) await tendRouting(deps);
        return;
      }
      for (let reading = 1; ; reading++) {
        const document = await tendRouting(deps);
        if ((document && document.depths === undefined) || reading >= READINGS || deps.clock.now() + 2 * BETWEEN_MS > deadline) return;
        await deps.timer.sleep(BETWEEN_MS);
      }
    },
  };
}
