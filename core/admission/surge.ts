import type { AdmittedTenant } from '@sluice/contracts';
import { TASKS_PER_MESSAGE } from '../hints/place.ts';
import { createLimiter } from './limiter.ts';

/**
 * Messages a second of one tenant, over all environments, that need no look at the shared queues. A tenant is routed over two of
 * them, and Lambda begins with five invocations for each, of ten messages in 50 ms or so: some 2,000 a second. Half of it
 * leaves as much to others whose queues they are too.
 */
const SURGE = 1_000;
/** Environments that are assumed where nothing is known: there are as many as calls at once. */
const ASSUMED = 10;
/** Seconds of its rate that may come at once; a batch is whole all the same. */
const BURST_SECONDS = 0.1;
/** Times what was admitted of it lately that a tenant may send, where that is more: so it may grow without end, but not at once. */
const GROWTH = 2;
/** Tenants that are kept, those that came last: more than can surge at once. */
const TENANTS = 200;

export interface Surge {
  readonly tasks: number;
  /** Environments of submit; absent where that is not known. */
  readonly environments: number | undefined;
  /** Tasks a second of the tenant over all environments, as known. */
  readonly merged: Pick<AdmittedTenant, 'offered' | 'refused' | 'refuse'> | undefined;
}

/** What an environment lets pass of a tenant that comes all at once. */
export interface SurgeGuard {
  readonly take: (tenant: string, now: number, surge: Surge) => { readonly admitted: number; readonly waitMs: number };
  /** Ends an interval of so many ms. */
  readonly close: (ms: number) => void;
}

/**
 * Holds a surge back in its first second, before control has heard of it, let alone found out what it does to the shared queues:
 * their depths are up to a minute old. Of a tenant of whom nothing is known each environment lets its part of {@link SURGE} pass,
 * of one that is known as of one with that rate, or twice what it had. It is asked for tenants that Sample and Hold has found to be large, and nobody
 * is refused for what another one sends.
 */
export function createSurgeGuard(): SurgeGuard {
  const limiter = createLimiter(TENANTS);
  return {
    take: (tenant, now, { tasks, environments = ASSUMED, merged }) => {
      const wanted = Math.ceil(tasks / TASKS_PER_MESSAGE);
      const messages = (of: number): number => (of * wanted) / Math.max(1, tasks);
      const rate = merged ? Math.max(SURGE, GROWTH * messages(merged.offered - merged.refused)) : SURGE / Math.max(1, environments);
      const bounds = { rate, burst: Math.max(wanted, BURST_SECONDS * rate) };
      const { admitted, waitMs } = limiter.take(tenant, now, bounds, {
        wanted,
        offered: wanted,
        // As what comes here: without what is refused of it in any case.
        merged: merged && messages(merged.offered * (1 - (merged.refuse?.part ?? 0))),
      });
      return { admitted: Math.min(tasks, admitted * TASKS_PER_MESSAGE), waitMs };
    },
    close: (ms) => void limiter.close(ms),
  };
}
