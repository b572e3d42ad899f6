import { resourceNameSchema, resourceSpecSchema, taskTypeNameSchema, taskTypeSpecSchema } from '@sluice/contracts';
import type { CloudFormationCustomResourceEvent } from 'aws-lambda';
import * as z from 'zod';
import type { ResourceWriter, TypeWriter } from '../../adapters/aws/type-registry.ts';
import { answer } from './answer.ts';

export interface RegistrarDeps {
  taskTypes: TypeWriter;
  resources: ResourceWriter;
  fetch: typeof fetch;
}

/** The physical id of a registration that failed before its type was known; no type can have it, so its delete does nothing. */
const UNREGISTERED = 'sluice:unregistered';

/** One kind of registration. Its physical id is its name: a changed name is another resource to CloudFormation. */
interface Kind {
  readonly isName: (text: string) => boolean;
  /** @returns the name that the spec is of, and what writes it */
  readonly read: (text: unknown) => { readonly name: string; readonly put: (owner: string) => Promise<void> };
  readonly remove: (name: string, owner: string) => Promise<void>;
}

/**
 * Answers CloudFormation for `Custom::SluiceTaskType` and `Custom::SluiceResource`, whose property `Spec` is a task type or
 * a resource as JSON text.
 */
export function createHandler(deps: RegistrarDeps) {
  const { fetch } = deps;
  return async (event: CloudFormationCustomResourceEvent): Promise<void> => {
    const kind = event.ResourceType === 'Custom::SluiceResource' ? resourceKind(deps) : typeKind(deps);
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

function typeKind({ taskTypes }: RegistrarDeps): Kind {
  return {
    isName: (text) => taskTypeNameSchema.safeParse(text).success,
    read: (text) => {
      const spec = parsed(taskTypeSpecSchema, text, 'Custom::SluiceTaskType needs the property Spec, a task type as JSON text');
      return { name: spec.type, put: (owner) => taskTypes.put(spec, owner) };
    },
    remove: (name, owner) => taskTypes.remove(name, owner),
  };
}

function resourceKind({ resources }: RegistrarDeps): Kind {
  return {
    isName: (text) => resourceNameSchema.safeParse(text).success,
    read: (text) => {
      const spec = parsed(resourceSpecSchema, text, 'Custom::SluiceResource needs the property Spec, a resource as JSON text');
      return { name: spec.resource, put: (owner) => resources.put(spec, owner) };
    },
    remove: (name, owner) => resources.remove(name, owner),
  };
}

function parsed<T>(schema: z.ZodType<T>, text: unknown, otherwise: string): T {
  if (typeof text !== 'string') throw new Error(otherwise);
  const result = schema.safeParse(JSON.parse(text));
  if (!result.success) throw new Error(`Spec: ${z.prettifyError(result.error)}`);
  return result.data;
}
