import { resourceNameSchema, resourceSpecSchema, taskTypeNameSchema, taskTypeSpecSchema } from '@sluice/contracts';
import * as z from 'zod';
import type { ResourceWriter, TypeWriter } from '../../adapters/aws/type-registry.ts';

/** One kind of registration. Its physical id is its name: a changed name is another resource to CloudFormation. */
export interface Kind {
  readonly isName: (text: string) => boolean;
  /** @returns the name that the spec is of, and what writes it */
  readonly read: (text: unknown) => { readonly name: string; readonly put: (owner: string) => Promise<void> };
  readonly remove: (name: string, owner: string) => Promise<void>;
}

export function typeKind(taskTypes: TypeWriter): Kind {
  return {
    isName: (text) => taskTypeNameSchema.safeParse(text).success,
    read: (text) => {
      const spec = parsed(taskTypeSpecSchema, text, 'Custom::SluiceTaskType needs the property Spec, a task type as JSON text');
      return { name: spec.type, put: (owner) => taskTypes.put(spec, owner) };
    },
    remove: (name, owner) => taskTypes.remove(name, owner),
  };
}

export function resourceKind(resources: ResourceWriter): Kind {
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
