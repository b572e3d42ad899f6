import { taskTypeNameSchema, type TaskTypeSpec, taskTypeSpecSchema } from '@sluice/contracts';
import type { CloudFormationCustomResourceEvent } from 'aws-lambda';
import * as z from 'zod';
import type { TypeWriter } from '../../adapters/aws/type-registry.ts';
import { answer } from './answer.ts';

export interface RegistrarDeps {
  taskTypes: TypeWriter;
  fetch: typeof fetch;
}

/** The physical id of a registration that failed before its type was known; no type can have it, so its delete does nothing. */
const UNREGISTERED = 'sluice:unregistered';

/** Answers CloudFormation for `Custom::SluiceTaskType`, whose property `Spec` is a task type as JSON text. */
export function createHandler({ taskTypes, fetch }: RegistrarDeps) {
  return async (event: CloudFormationCustomResourceEvent): Promise<void> => {
    const owner = `${event.StackId}/${event.LogicalResourceId}`;
    const physicalId = 'PhysicalResourceId' in event ? event.PhysicalResourceId : UNREGISTERED;
    /** An update that failed is rolled back to the type before, and nobody deletes the one that it was to be. */
    const withdraw = (type: string): Promise<void> => taskTypes.remove(type, owner).catch((error: unknown) => console.error(error));

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
    } catch (error) {
      console.error(error);
      // What is not known to be written may be: the rollback deletes what the failure names, a failed creation's type.
      const named = event.RequestType === 'Create' ? type : physicalId;
      if (named !== type) await withdraw(type);
      return await answer(fetch, event, named, error instanceof Error ? error.message : String(error));
    }
    await answer(fetch, event, type);
  };
}

function parseSpec(text: unknown): TaskTypeSpec {
  if (typeof text !== 'string') throw new Error('Custom::SluiceTaskType needs the property Spec, a task type as JSON text');
  const parsed = taskTypeSpecSchema.safeParse(JSON.parse(text));
  if (!parsed.success) throw new Error(`Spec: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}
