import type { Scenario } from './report/result.ts';
import { bulk } from './set/bulk.ts';
import { burst } from './set/burst.ts';
import { downstreamDown } from './set/downstream-down.ts';
import { downstreamSlows } from './set/downstream-slows.ts';
import { noisyNeighbour } from './set/noisy-neighbour.ts';
import { poisonTenant } from './set/poison-tenant.ts';
import { priorityInversion } from './set/priority-inversion.ts';
import { retryStorm } from './set/retry-storm.ts';
import { tenantGrowth } from './set/tenant-growth.ts';

/** All scenarios, in the order of their pages. */
export const SCENARIOS: readonly Scenario[] = [
  noisyNeighbour,
  downstreamSlows,
  downstreamDown,
  retryStorm,
  bulk,
  poisonTenant,
  priorityInversion,
  tenantGrowth,
  burst,
];
