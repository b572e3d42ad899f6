import { quotaListSchema, quotaViewSchema, ROUTES, tenantSchema } from '@sluice/contracts';
import type { Quota, QuotaView } from '@sluice/contracts';
import { pathOf } from './path.ts';
import type { Transport } from './transport.ts';
import type { CallOptions } from './types.ts';

/** What tenants may have, whichever tenant the client's token is of. Needs the scope `platform`. */
export class Quotas {
  readonly #transport: Transport;

  /** @internal */
  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** @throws ApiError `not_found` for a tenant without a quota: it may have what every tenant may */
  async get(tenant: string, { signal }: CallOptions = {}): Promise<QuotaView> {
    const { method, path } = ROUTES.getQuota;
    return (await this.#transport.call({ method, path: quotaPath(path, tenant), schema: quotaViewSchema, signal })).data;
  }

  /** Replaces the whole quota of a tenant, with effect within 10 s. What is in flight beyond a lowered cap goes on. */
  async put(tenant: string, quota: Quota, { signal }: CallOptions = {}): Promise<QuotaView> {
    const { method, path } = ROUTES.putQuota;
    const call = { method, path: quotaPath(path, tenant), schema: quotaViewSchema, body: JSON.stringify(quota), signal };
    return (await this.#transport.call(call)).data;
  }

  /** Takes a quota away, whether there is one or not. */
  async delete(tenant: string, { signal }: CallOptions = {}): Promise<void> {
    const { method, path } = ROUTES.deleteQuota;
    await this.#transport.call({ method, path: quotaPath(path, tenant), removes: true, signal });
  }

  /** All quotas, by the name of their tenant. */
  async *list({ signal }: CallOptions = {}): AsyncGenerator<QuotaView, void, void> {
    let cursor: string | undefined;
    do {
      const path: string = ROUTES.listQuotas.path + (cursor === undefined ? '' : `?cursor=${encodeURIComponent(cursor)}`);
      const { data } = await this.#transport.call({ method: 'GET', path, schema: quotaListSchema, signal });
      yield* data.quotas;
      cursor = data.cursor;
    } while (cursor !== undefined);
  }
}

function quotaPath(route: string, tenant: string): string {
  return pathOf(route, tenant, tenantSchema, 'tenant');
}
