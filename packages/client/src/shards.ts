import { ROUTES, shardMapSchema, tenantSchema, tenantShardsSchema } from '@sluice/contracts';
import type { ShardMap, TenantShards } from '@sluice/contracts';
import { pathOf } from './path.ts';
import type { Transport } from './transport.ts';
import type { CallOptions } from './types.ts';

/** How tenants are spread over the shard queues. Needs the scope `platform`. */
export class Shards {
  readonly #transport: Transport;

  /** @internal */
  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** The whole map. */
  async map({ signal }: CallOptions = {}): Promise<ShardMap> {
    const { method, path } = ROUTES.listShards;
    return (await this.#transport.call({ method, path, schema: shardMapSchema, signal })).data;
  }

  /** Where a tenant's work goes, and exactly how many of the others that are known share its queues. */
  async of(tenant: string, { signal }: CallOptions = {}): Promise<TenantShards> {
    const { method, path } = ROUTES.getShards;
    const call = { method, path: pathOf(path, tenant, tenantSchema, 'tenant'), schema: tenantShardsSchema, signal };
    return (await this.#transport.call(call)).data;
  }
}
