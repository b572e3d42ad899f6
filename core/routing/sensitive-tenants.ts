import type { QuotaStore } from '../ports/quota-store.ts';
import { quotaPages } from '../quotas/quota-pages.ts';

/** Pages of quotas that are read at most. */
const PAGES = 50;

/** Tenants whose quota says that their work must not wait behind another's. Asked only while some queue is busy. */
export async function sensitiveTenants(quotas: Pick<QuotaStore, 'list'>): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const page of quotaPages(quotas, PAGES)) {
    found.push(...page.flatMap(({ tenant, quota }) => (quota.latencySensitive === true ? [tenant] : [])));
  }
  return found;
}
