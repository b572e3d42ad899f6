import type { TaskTypeSpec } from '@sluice/contracts';
import type { Lane } from '../core/ports/permit-store.ts';
import { RATED_RESOURCES, RATED_TYPES } from './rated-types.ts';
import { RETRY, typeSpec } from './type-spec.ts';

export const DOWNSTREAM = { name: 'downstream', concurrency: 3 };
/** A tenant with a cap. */
export const CAPPED = { tenant: 'd', cap: 2 };

/** Types whose lanes have capacities in common: more tasks at once than there is of each. */
export const DIVIDED_TYPES: readonly TaskTypeSpec[] = [
  typeSpec('shared', { concurrency: 3, capacity: 4, retry: RETRY }),
  typeSpec('drawing', { concurrency: 2, resources: [DOWNSTREAM.name], start: 'wait', timeoutSeconds: 10, retry: RETRY }),
  typeSpec('both', { concurrency: 3, capacity: 5, resources: [DOWNSTREAM.name], retry: RETRY }),
];

/** A capacity, and whose permits count for it. */
export interface SharedCapacity {
  readonly name: string;
  readonly most: number;
  readonly of: (lane: Lane) => boolean;
}

export const CAPACITIES: readonly SharedCapacity[] = [
  ...DIVIDED_TYPES.flatMap(({ type, capacity }) =>
    capacity === undefined ? [] : [{ name: `the capacity of ${type}`, most: capacity, of: (lane: Lane) => lane.type === type }],
  ),
  {
    name: `the resource ${DOWNSTREAM.name}`,
    most: DOWNSTREAM.concurrency,
    of: ({ type }) => DIVIDED_TYPES.some((spec) => spec.type === type && spec.resources),
  },
  ...RATED_RESOURCES.map(({ resource, concurrency }) => ({
    name: `the resource ${resource}`,
    most: concurrency,
    of: ({ type }: Lane) => RATED_TYPES.some((spec) => spec.type === type && spec.resources?.includes(resource) === true),
  })),
  { name: `the cap of ${CAPPED.tenant}`, most: CAPPED.cap, of: ({ tenant }) => tenant === CAPPED.tenant },
];
