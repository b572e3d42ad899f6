import type { ResourceSpec, TaskTypeSpec } from '@sluice/contracts';
import type { Pool } from '../../limits/divide.ts';

/** A resource's rate in windows of one length: its limit is what is divided. */
export interface ResourceRate extends Pool {
  readonly resource: string;
  readonly perSeconds: number;
}

/** The windows of one length that lanes of a type keep to, for all resources that have such. */
export interface TypeWindow {
  readonly perSeconds: number;
  readonly rates: readonly ResourceRate[];
}

/** Whether lanes of a type draw on a resource with rates: they have shares of their own alone. */
export function isRated({ resources = [] }: TaskTypeSpec, known: ReadonlyMap<string, ResourceSpec>): boolean {
  return resources.some((resource) => known.get(resource)?.rates !== undefined);
}

/** Each rate of each resource. */
export function ratesOfResources(resources: ReadonlyMap<string, ResourceSpec>): readonly ResourceRate[] {
  return [...resources.values()].flatMap(({ resource, rates = [] }) =>
    rates.map(({ limit, perSeconds }) => ({ resource, perSeconds, capacity: limit })),
  );
}

/** Of the types that draw on resources with rates, their windows, the shortest first: those of one length are one. */
export function windowsOfTypes(
  types: ReadonlyMap<string, TaskTypeSpec>,
  rates: readonly ResourceRate[],
): ReadonlyMap<string, readonly TypeWindow[]> {
  return new Map(
    [...types.values()].flatMap(({ type, resources = [] }): [string, readonly TypeWindow[]][] => {
      const own = rates.filter(({ resource }) => resources.includes(resource));
      const lengths = [...new Set(own.map(({ perSeconds }) => perSeconds))].sort((a, b) => a - b);
      const windows = lengths.map((perSeconds) => ({ perSeconds, rates: own.filter((rate) => rate.perSeconds === perSeconds) }));
      return windows.length > 0 ? [[type, windows]] : [];
    }),
  );
}
