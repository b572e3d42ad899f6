import { SluiceError } from '@sluice/contracts';
import type { CloudFormationCustomResourceEvent } from 'aws-lambda';
import type { DedicatedCleanUp } from '../../adapters/aws/dedicated-clean-up.ts';
import type { RoutingStore } from '../../core/ports/routing-store.ts';
import type { Timer } from '../../core/ports/timer.ts';
import { answer } from '../registrar/answer.ts';

export interface CleanUpDeps {
  /** Deletes every dedicated queue and its event source. */
  readonly cleanUp: DedicatedCleanUp;
  readonly routes: RoutingStore;
  readonly timer: Timer;
  readonly fetch: typeof fetch;
}

/** ms in which a call that a round has begun ends: it is given up after that. */
const CALL_MS = 16_000;
/** Rounds that write the routing meanwhile are few: there is one a minute, and none begins any more. */
const TRIES = 5;

export function isCleanUp(event: object): event is CloudFormationCustomResourceEvent {
  return 'RequestType' in event && 'ResponseURL' in event;
}

/** Answers CloudFormation for `Custom::SluiceDedicatedQueues`: when it is deleted, so is all that was made at run time. */
export async function answerCleanUp(deps: CleanUpDeps, event: CloudFormationCustomResourceEvent): Promise<void> {
  const physicalId = 'PhysicalResourceId' in event ? event.PhysicalResourceId : 'dedicated-queues';
  try {
    if (event.RequestType === 'Delete') await takeAway(deps);
  } catch (error) {
    console.error(error);
    return answer(deps.fetch, event, physicalId, error instanceof Error ? error.message : String(error));
  }
  return answer(deps.fetch, event, physicalId);
}

/**
 * A round of control that is at work when its schedule is deleted may be making queues: it makes no others once the routing
 * names none, and what it is making is there when its calls have ended.
 */
async function takeAway({ cleanUp, routes, timer }: CleanUpDeps): Promise<void> {
  await forgetAll(routes);
  await cleanUp.removeAll();
  await timer.sleep(CALL_MS);
  await cleanUp.removeAll();
}

async function forgetAll(routes: RoutingStore): Promise<void> {
  for (let tries = 0; tries < TRIES; tries++) {
    const document = await routes.read();
    if (!document || document.dedicated.length + document.suspects.length === 0) return;
    if (await routes.write({ ...document, version: document.version + 1, dedicated: [], suspects: [] })) return;
  }
  throw new SluiceError('unavailable', 'the routing is written by others all the time');
}
