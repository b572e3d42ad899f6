import type { TaskTypeSpec } from '@sluice/contracts';
import type { TypeRegistry } from '../../core/ports/type-registry.ts';
import { deepFreeze } from '../deep-freeze.ts';

export interface MemoryTypeRegistry extends TypeRegistry {
  readonly put: (spec: TaskTypeSpec) => Promise<void>;
  readonly remove: (type: string) => Promise<void>;
}

/** Task types in a map; what is put is known at once. */
export function createMemoryTypeRegistry(specs: readonly TaskTypeSpec[] = []): MemoryTypeRegistry {
  const kept = (spec: TaskTypeSpec): TaskTypeSpec => deepFreeze(structuredClone(spec));
  const types = new Map(specs.map((spec) => [spec.type, kept(spec)]));
  return {
    get: async (type) => types.get(type),
    names: async () => [...types.keys()].sort(),
    put: async (spec) => {
      types.set(spec.type, kept(spec));
    },
    remove: async (type) => {
      types.delete(type);
    },
  };
}
