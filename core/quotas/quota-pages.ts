import type { QuotaRecord } from '@sluice/contracts';
import type { QuotaStore } from '../ports/quota-store.ts';

/** Quotas that are read at once. */
const PAGE = 1_000;

/** The quotas of all tenants, by name, page by page. @param most pages that are read at most */
export async function* quotaPages(quotas: Pick<QuotaStore, 'list'>, most = Infinity): AsyncGenerator<readonly QuotaRecord[], void, void> {
  let after: string | undefined;
  for (let page = 0; page < most; page++) {
    const records = await quotas.list(PAGE, after);
    yield records;
    if (records.length < PAGE) return;
    after = records.at(-1)?.tenant;
  }
}
