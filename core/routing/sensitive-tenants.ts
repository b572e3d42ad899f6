import type { QuotaStore } from '../ports/quota-store.ts';

/** Quotas that are read at once, and at most. */
const PAGE = 1_000;
const PAGES = 50;

/** Tenants whose quota says that their work must not wait behind another's. Asked only while some queue is busy. */
export async function sensitiveTenants(quotas: Pick<QuotaStore, 'list'>): Promise<readonly string[]> {
  const found: string[] = [];
  let after: string | undefined;
  for (let page = 0; page < PAGES; page++) {
    const records = await quotas.list(PAGE, after);
    found.push(...records.flatMap(({ tenant, quota }) => (quota.latencySensitive === true ? [tenant] : [])));
    after = records.at(-1)?.tenant;
    if (records.length < PAGE) break;
  }
  return found;
}
