import type { CloudFormationCustomResourceEvent } from 'aws-lambda';
import type { EndedRequest, EndedRequests } from '../../adapters/aws/ended-requests.ts';
import type { ResourceWriter, TypeWriter } from '../../adapters/aws/type-registry.ts';
import { answer } from './answer.ts';
import { resourceKind, typeKind, type Kind } from './kinds.ts';

export interface RegistrarDeps {
  taskTypes: TypeWriter;
  resources: ResourceWriter;
  requests: EndedRequests;
  fetch: typeof fetch;
}

/** The physical id of a registration that failed before it had one, so that its rollback deletes nothing. */
const UNREGISTERED = 'sluice:unregistered';

/**
 * Answers CloudFormation for `Custom::SluiceTaskType` and `Custom::SluiceResource`, whose property `Spec` is a task type or
 * a resource as JSON text. Lambda makes an event again whose function died, even after its answer: a failed one that was
 * done after all would stay behind the rollback. So how it ended is written down before it is told.
 */
export function createHandler({ taskTypes, resources, requests, fetch }: RegistrarDeps) {
  return async (event: CloudFormationCustomResourceEvent): Promise<void> => {
    const kind = event.ResourceType === 'Custom::SluiceResource' ? resourceKind(resources) : typeKind(taskTypes);
    const owner = `${event.StackId}/${event.LogicalResourceId}`;
    // Neither keeps a deployment from going on: it takes a crash besides for anything to be wrong.
    const found = await requests.find(owner, event.RequestId).catch(logged);
    const { physicalId, failure } = found ?? (await work(kind, owner, event));
    if (!found) await requests.note(owner, event.RequestId, { v: 1, physicalId, ...(failure !== undefined && { failure }) }).catch(logged);
    await answer(fetch, event, physicalId, failure);
  };
}

async function work(kind: Kind, owner: string, event: CloudFormationCustomResourceEvent): Promise<Omit<EndedRequest, 'v'>> {
  const physicalId = 'PhysicalResourceId' in event ? event.PhysicalResourceId : UNREGISTERED;
  let name = physicalId;
  try {
    if (event.RequestType === 'Delete') {
      // The physical id is the name; the properties may be of a newer one that the resource has changed to.
      if (kind.isName(physicalId)) await kind.remove(physicalId, owner);
    } else {
      const spec = kind.read(event.ResourceProperties['Spec']);
      // A changed name is a changed physical id: CloudFormation deletes the old one once the update is complete.
      name = spec.name;
      await spec.put(owner);
    }
    return { physicalId: name };
  } catch (error) {
    logged(error);
    // What is not known to be written may be: the rollback deletes what the failure names, a failed creation's name.
    const named = event.RequestType === 'Create' ? name : physicalId;
    // An update that failed is rolled back to what was before, and nobody deletes what it was to be.
    if (named !== name) await kind.remove(name, owner).catch(logged);
    return { physicalId: named, failure: error instanceof Error ? error.message : String(error) };
  }
}

function logged(error: unknown): undefined {
  console.error(error);
  return undefined;
}
