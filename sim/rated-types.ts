import type { ResourceSpec, TaskTypeSpec } from '@sluice/contracts';
import { RETRY, typeSpec } from './type-spec.ts';

/** Resources with rates, one of one window and one of two: fewer starts than their tasks would make. */
export const RATED_RESOURCES: readonly ResourceSpec[] = [
  { v: 1, resource: 'metered', concurrency: 8, rates: [{ limit: 5, perSeconds: 10 }] },
  {
    v: 1,
    resource: 'twofold',
    concurrency: 20,
    rates: [
      { limit: 4, perSeconds: 10 },
      { limit: 12, perSeconds: 60 },
    ],
  },
];

/** Types that draw on them, one on both, and one of these with rates of its own too. */
export const RATED_TYPES: readonly TaskTypeSpec[] = [
  typeSpec('charge', { concurrency: 6, resources: ['metered'], retry: RETRY }),
  typeSpec('refund', {
    concurrency: 4,
    resources: ['metered', 'twofold'],
    rates: [{ limit: 3, perSeconds: 10 }],
    retry: RETRY,
    adaptive: false,
  }),
  typeSpec('payout', { concurrency: 5, resources: ['twofold'], start: 'wait', timeoutSeconds: 10, retry: RETRY }),
];
