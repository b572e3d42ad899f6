import {
  LIMITS,
  SluiceError,
  tenantSchema,
  type Quota,
  type QuotaList,
  type QuotaListQuery,
  type QuotaRecord,
  type QuotaView,
} from '@sluice/contracts';
import type { Clock } from '../ports/clock.ts';
import type { ControlQueue } from '../ports/control-queue.ts';
import type { QuotaStore } from '../ports/quota-store.ts';
import type { Telemetry } from '../ports/telemetry.ts';

export interface QuotaDeps {
  readonly quotas: QuotaStore;
  readonly control: ControlQueue;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
}

const PAGE = 50;

/** @throws SluiceError `bad_request` for what is no tenant, `not_found` for one without a quota */
export async function getQuota(deps: QuotaDeps, tenant: string): Promise<QuotaView> {
  checkTenant(tenant);
  const record = await deps.quotas.get(tenant);
  if (record) return viewOf(record);
  throw new SluiceError('not_found', `tenant ${tenant} has no quota: it may have what every tenant may`);
}

/**
 * Replaces the whole quota of a tenant, whether anything is known of the tenant or not. It takes effect within 10 s: control
 * is told, and readers decide by nothing that is older than 7. What is in flight beyond a lowered cap goes on.
 * @throws SluiceError `bad_request`, `unavailable`
 */
export async function putQuota(deps: QuotaDeps, tenant: string, quota: Quota): Promise<QuotaView> {
  checkTenant(tenant);
  const now = deps.clock.now();
  const record: QuotaRecord = { v: 1, tenant, quota, updatedAt: now };
  await deps.quotas.put(tenant, record);
  deps.telemetry.log('info', 'quota set', { tenant, quota });
  await deps.control.tell({ v: 1, kind: 'divide', made: now, tenant });
  return viewOf(record);
}

/** Takes a quota away, whether there is one or not. @throws SluiceError `bad_request`, `unavailable` */
export async function deleteQuota(deps: QuotaDeps, tenant: string): Promise<void> {
  checkTenant(tenant);
  await deps.quotas.remove(tenant);
  deps.telemetry.log('info', 'quota removed', { tenant });
  await deps.control.tell({ v: 1, kind: 'divide', made: deps.clock.now(), tenant });
}

/** The quotas of all tenants, by name. @throws SluiceError `bad_cursor`, `unavailable` */
export async function listQuotas(deps: QuotaDeps, { limit = PAGE, cursor }: QuotaListQuery): Promise<QuotaList> {
  if (cursor !== undefined && !tenantSchema.safeParse(cursor).success) {
    throw new SluiceError('bad_cursor', 'the cursor is not one of this list; send it as it was given, or begin anew without it');
  }
  const records = await deps.quotas.list(Math.min(limit, LIMITS.quotaPage) + 1, cursor);
  const page = records.slice(0, limit);
  const last = page.at(-1);
  return { quotas: page.map(viewOf), ...(records.length > limit && last && { cursor: last.tenant }) };
}

function checkTenant(tenant: string): void {
  const parsed = tenantSchema.safeParse(tenant);
  if (!parsed.success) throw new SluiceError('bad_request', `"${tenant.slice(0, 100)}" is no tenant: ${parsed.error.issues[0]?.message}`);
}

function viewOf({ tenant, quota, updatedAt }: QuotaRecord): QuotaView {
  return { tenant, quota, updatedAt: new Date(updatedAt).toISOString() };
}
