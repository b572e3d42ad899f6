import { taskTypeNameSchema, type TaskTypeSpec, taskTypeSpecSchema } from '@sluice/contracts';
import type { CloudFormationCustomResourceEvent } from 'aws-lambda';
import * as z from 'zod';
import type { EndedRequest, EndedRequests } from '../../adapters/aws/ended-requests.ts';
import type { TypeWriter } from '../../adapters/aws/type-registry.ts';
import { answer } from './answer.ts';

export interface RegistrarDeps {
  taskTypes: TypeWriter;
  requests: EndedRequests;
  fetch: typeof fetch;
}

/** The physical id of a registration that failed before its type was known; no type can have it, so its delete does nothing. */
const UNREGISTERED = 'sluice:unregistered';

/**
 * Answers CloudFormation for `Custom::SluiceTaskType`, whose property `Spec` is a task type as JSON text. Lambda makes an
 * event again whose function died, even after its answer: a failed one that was done after all would stay behind the
 * rollback. So how it ended is written down before it is told.
 */
export function createHandler({ taskTypes, requests, fetch }: RegistrarDeps) {
  return async (event: CloudFormationCustomResourceEvent): Promise<void> => {
    const owner = `${event.StackId}/${event.LogicalResourceId}`;
    // Neither keeps a deployment from going on: it takes a crash besides for anything to be wrong.
    const found = await requests.find(owner, event.RequestId).catch(logged);
    const { physicalId, failure } = found ?? (await work(taskTypes, owner, event));
    if (!found) await requests.note(owner, event.RequestId, { v: 1, physicalId, ...(failure !== undefined && { failure }) }).catch(logged);
    await answer(fetch, event, physicalId, failure);
  };
}

async function work(taskTypes: TypeWriter, owner: string, event: CloudFormationCustomResourceEvent): Promise<Omit<EndedRequest, 'v'>> {
  const physicalId = 'PhysicalResourceId' in event ? event.PhysicalResourceId : UNREGISTERED;
  let type = physicalId;
  try {
    if (event.RequestType === 'Delete') {
      // The physical id is the type; the properties may be of a newer one that the resource has changed to.
      if (taskTypeNameSchema.safeParse(physicalId).success) await taskTypes.remove(physicalId, owner);
    } else {
      const spec = parseSpec(event.ResourceProperties['Spec']);
      // A changed type is a changed physical id: CloudFormation deletes the old one once the update is complete.
      type = spec.type;
      await taskTypes.put(spec, owner);
    }
    return { physicalId: type };
  } catch (error) {
    logged(error);
    // What is not known to be written may be: the rollback deletes what the failure names, a failed creation's type.
    const named = event.RequestType === 'Create' ? type : physicalId;
    // An update that failed is rolled back to the type before, and nobody deletes the one that it was to be.
    if (named !== type) await taskTypes.remove(type, owner).catch(logged);
    return { physicalId: named, failure: error instanceof Error ? error.message : String(error) };
  }
}

function logged(error: unknown): undefined {
  console.error(error);
  return undefined;
}

function parseSpec(text: unknown): TaskTypeSpec {
  if (typeof text !== 'string') throw new Error('Custom::SluiceTaskType needs the property Spec, a task type as JSON text');
  const parsed = taskTypeSpecSchema.safeParse(JSON.parse(text));
  if (!parsed.success) throw new Error(`Spec: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}
