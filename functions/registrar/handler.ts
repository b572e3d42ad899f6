import type { CloudFormationCustomResourceEvent } from 'aws-lambda';
import type { ResourceWriter, TypeWriter } from '../../adapters/aws/type-registry.ts';
import { answer } from './answer.ts';
import { resourceKind, typeKind } from './kinds.ts';

export interface RegistrarDeps {
  taskTypes: TypeWriter;
  resources: ResourceWriter;
  fetch: typeof fetch;
}

/** The physical id of a registration that failed before its type was known; no type can have it, so its delete does nothing. */
const UNREGISTERED = 'sluice:unregistered';

/**
 * Answers CloudFormation for `Custom::SluiceTaskType` and `Custom::SluiceResource`, whose property `Spec` is a task type or
 * a resource as JSON text.
 */
export function createHandler(deps: RegistrarDeps) {
  const { fetch } = deps;
  return async (event: CloudFormationCustomResourceEvent): Promise<void> => {
    const kind = event.ResourceType === 'Custom::SluiceResource' ? resourceKind(deps.resources) : typeKind(deps.taskTypes);
    const owner = `${event.StackId}/${event.LogicalResourceId}`;
    const physicalId = 'PhysicalResourceId' in event ? event.PhysicalResourceId : UNREGISTERED;
    /** An update that failed is rolled back to what was before, and nobody deletes what it was to be. */
    const withdraw = (name: string): Promise<void> => kind.remove(name, owner).catch((error: unknown) => console.error(error));

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
    } catch (error) {
      console.error(error);
      // What is not known to be written may be: the rollback deletes what the failure names, a failed creation's name.
      const named = event.RequestType === 'Create' ? name : physicalId;
      if (named !== name) await withdraw(name);
      return await answer(fetch, event, named, error instanceof Error ? error.message : String(error));
    }
    await answer(fetch, event, name);
  };
}
