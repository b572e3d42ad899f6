import type { Scenario } from './report/result.ts';
import { burst } from './set/burst.ts';
import { poisonTenant } from './set/poison-tenant.ts';
import { bulk } from './set/bulk.ts';
import { priorityInversion } from './set/priority-inversion.ts';
import { downstreamSlows } from './set/downstream-slows.ts';
import { noisyNeighbour } from './set/noisy-neighbour.ts';

/** All scenarios, in the order of their pages. */
export const SCENARIOS: readonly Scenario[] = [noisyNeighbour, downstreamSlows, bulk, poisonTenant, priorityInversion, burst];
