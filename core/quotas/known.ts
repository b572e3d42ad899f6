import type { Quota } from '@sluice/contracts';
import type { Clock } from '../ports/clock.ts';
import type { QuotaStore } from '../ports/quota-store.ts';

/** How old an answer may be, ms: with what control needs, a quota takes effect within 10 s. */
const FRESH_MS = 5_000;
/** Tenants that are kept; beyond it those that were read first go. */
const KEPT = 10_000;

/** What tenants may have, as it was known some seconds ago. */
export interface KnownQuotas {
  /** @throws when it is not known and can't be read; what was known before serves meanwhile */
  readonly of: (tenant: string) => Promise<Quota | undefined>;
}

/** Quotas kept in memory for 5 s. A table that fails or is slow does not hold up what is known, however old it is. */
export function createKnownQuotas(quotas: Pick<QuotaStore, 'get'>, clock: Clock): KnownQuotas {
  const known = new Map<string, { quota: Quota | undefined; readAt: number }>();
  const reading = new Map<string, Promise<Quota | undefined>>();

  const read = async (tenant: string): Promise<Quota | undefined> => {
    const readAt = clock.now();
    const record = await quotas.get(tenant);
    known.delete(tenant);
    known.set(tenant, { quota: record?.quota, readAt });
    for (const first of known.keys()) {
      if (known.size <= KEPT) break;
      known.delete(first);
    }
    return record?.quota;
  };
  /** However many ask at once, the table is asked once. */
  const readOnce = (tenant: string): Promise<Quota | undefined> => {
    const found = reading.get(tenant);
    if (found) return found;
    const asked = read(tenant).finally(() => reading.delete(tenant));
    reading.set(tenant, asked);
    return asked;
  };

  return {
    of: async (tenant) => {
      const found = known.get(tenant);
      if (found && clock.now() - found.readAt < FRESH_MS) return found.quota;
      if (!found) return readOnce(tenant);
      return readOnce(tenant).catch(() => found.quota);
    },
  };
}
