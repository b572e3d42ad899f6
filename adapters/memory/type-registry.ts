import type { ResourceSpec, TaskTypeSpec } from '@sluice/contracts';
import type { ResourceRegistry, TypeRegistry } from '../../core/ports/type-registry.ts';
import { withResources } from '../../core/limits/of-resources.ts';
import { deepFreeze } from '../deep-freeze.ts';

export interface MemoryTypeRegistry extends TypeRegistry, ResourceRegistry {
  readonly put: (spec: TaskTypeSpec) => Promise<void>;
  readonly remove: (type: string) => Promise<void>;
  readonly putResource: (spec: ResourceSpec) => Promise<void>;
  readonly removeResource: (resource: string) => Promise<void>;
}

/** Task types in a map; what is put is known at once. */
export function createMemoryTypeRegistry(specs: readonly TaskTypeSpec[] = []): MemoryTypeRegistry {
  const kept = (spec: TaskTypeSpec): TaskTypeSpec => deepFreeze(structuredClone(spec));
  const types = new Map(specs.map((spec) => [spec.type, kept(spec)]));
  const resources = new Map<string, ResourceSpec>();
  return {
    resources: async () => new Map(resources),
    putResource: async (spec) => void resources.set(spec.resource, deepFreeze(structuredClone(spec))),
    removeResource: async (resource) => void resources.delete(resource),
    get: async (type) => {
      const spec = types.get(type);
      return spec && deepFreeze(withResources(spec, resources));
    },
    names: async () => [...types.keys()].sort(),
    put: async (spec) => {
      types.set(spec.type, kept(spec));
    },
    remove: async (type) => {
      types.delete(type);
    },
  };
}
