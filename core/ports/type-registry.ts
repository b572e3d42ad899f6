import type { ResourceSpec, TaskTypeSpec } from '@sluice/contracts';

/** The task types that are deployed. Answers may be some seconds old; an unknown type is looked up anew. */
export interface TypeRegistry {
  /** Frozen, for all callers get the same. */
  readonly get: (type: string) => Promise<TaskTypeSpec | undefined>;
  readonly names: () => Promise<readonly string[]>;
}

/** The resources that are deployed, by their names; answers may be as old as those of types, with which they are read. */
export interface ResourceRegistry {
  readonly resources: () => Promise<ReadonlyMap<string, ResourceSpec>>;
}
