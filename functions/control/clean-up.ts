import type { CloudFormationCustomResourceEvent } from 'aws-lambda';
import type { DedicatedCleanUp } from '../../adapters/aws/dedicated-clean-up.ts';
import { answer } from '../registrar/answer.ts';

export interface CleanUpDeps {
  /** Deletes every dedicated queue and its event source. */
  readonly cleanUp: DedicatedCleanUp;
  readonly fetch: typeof fetch;
}

export function isCleanUp(event: object): event is CloudFormationCustomResourceEvent {
  return 'RequestType' in event && 'ResponseURL' in event;
}

/** Answers CloudFormation for `Custom::SluiceDedicatedQueues`: when it is deleted, so is all that was made at run time. */
export async function answerCleanUp({ cleanUp, fetch }: CleanUpDeps, event: CloudFormationCustomResourceEvent): Promise<void> {
  const physicalId = 'PhysicalResourceId' in event ? event.PhysicalResourceId : 'dedicated-queues';
  try {
    if (event.RequestType === 'Delete') await cleanUp.removeAll();
  } catch (error) {
    console.error(error);
    return answer(fetch, event, physicalId, error instanceof Error ? error.message : String(error));
  }
  return answer(fetch, event, physicalId);
}
