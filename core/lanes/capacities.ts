import { ENTRY_TENANT, type Grant, type LaneCapacity, type Quota, type ResourceSpec, type TaskTypeSpec } from '@sluice/contracts';
import type { Lane } from '../ports/permit-store.ts';

/** How much of each capacity is given to lanes, and to newcomers. */
export interface Given {
  readonly types: ReadonlyMap<string, number>;
  readonly resources: ReadonlyMap<string, number>;
  readonly tenants: ReadonlyMap<string, number>;
}

/** Adds up what control has granted. */
export function givenBy(grants: readonly Grant[], types: ReadonlyMap<string, TaskTypeSpec>): Given {
  const given = { types: new Map<string, number>(), resources: new Map<string, number>(), tenants: new Map<string, number>() };
  const add = (to: Map<string, number>, name: string, n: number): void => void to.set(name, (to.get(name) ?? 0) + n);
  for (const { tenant, type, shares } of grants) {
    const n = shares.reduce((sum, share) => sum + share, 0);
    add(given.types, type, n);
    for (const resource of types.get(type)?.resources ?? []) add(given.resources, resource, n);
    if (tenant !== ENTRY_TENANT) add(given.tenants, tenant, n);
  }
  return given;
}

/** The capacities that a lane draws on: of its type, of the type's resources, and of its tenant. */
export function capacitiesOf(
  { tenant, type }: Lane,
  spec: TaskTypeSpec | undefined,
  quota: Quota | undefined,
  resources: ReadonlyMap<string, ResourceSpec>,
  given: Given,
): readonly LaneCapacity[] {
  const { capacity, resources: names = [] } = spec ?? {};
  return [
    ...(capacity === undefined ? [] : [{ by: 'type' as const, name: type, attempts: capacity, given: given.types.get(type) ?? 0 }]),
    ...names.map((name) => {
      const attempts = resources.get(name)?.concurrency;
      return { by: 'resource' as const, name, ...(attempts !== undefined && { attempts }), given: given.resources.get(name) ?? 0 };
    }),
    ...(quota?.cap === undefined
      ? []
      : [{ by: 'quota' as const, name: tenant, attempts: quota.cap, given: given.tenants.get(tenant) ?? 0 }]),
  ];
}
