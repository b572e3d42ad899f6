import type { LaneList, LaneView, Quota, TaskTypeSpec } from '@sluice/contracts';
import { makeHinted, makePermits } from '../contract/fixtures.ts';
import type { RequestOptions } from '../unit/http/requests.ts';
import { createApi } from './api.ts';
import { typeSpec } from './world.ts';

export const lane = (tenant: string, type = 'echo') => ({ tenant, type });

/** A platform in memory, how its lanes come to be as they are, and what its API tells of them. */
export function lanePlatform(...types: TaskTypeSpec[]) {
  const { world, call, know } = createApi({ types: types.length > 0 ? types : [typeSpec('echo', { concurrency: 10 })] });
  const { permits, backlog } = world.deps;
  return {
    world,
    call,
    know,
    get: async (type: string, options: RequestOptions = {}) =>
      (await call('GET /v1/lanes/{type}', { path: { type }, tenant: 'acme', ...options })).body as LaneView,
    list: async (query: Record<string, string> = {}, options: RequestOptions = {}) =>
      (await call('GET /v1/lanes', { query, ...options })).body as LaneList,
    /** Attempts that are in flight. */
    fly: (tenant: string, n: number, type = 'echo', cell = 0) => {
      const expiry = world.clock.now() + 60_000;
      return permits.acquire(
        lane(tenant, type),
        cell,
        makePermits(n).map((permit) => ({ ...permit, expiry })),
        1_000,
      );
    },
    /** Tasks that wait in its backlog, due ten seconds ago. */
    wait: async (tenant: string, n: number, type = 'echo') => {
      const at = world.clock.now() - 10_000;
      await backlog.register(lane(tenant, type), world.clock.now());
      await backlog.put(
        lane(tenant, type),
        Array.from({ length: n }, () => makeHinted({ at, type })),
      );
      await permits.raise(lane(tenant, type), 0, 'permits', ['normal']);
    },
    give: (tenant: string, share: number, type = 'echo', version = 1) =>
      permits.setShare(lane(tenant, type), 0, { version, share, cells: 1 }),
    grant: (tenant: string, shares: number[], type = 'echo') => world.divisions.put({ tenant, type }, { v: 1, tenant, type, shares }),
    quota: (tenant: string, quota: Quota) => world.deps.quotas.put(tenant, { v: 1, tenant, quota, updatedAt: 0 }),
  };
}

export type LanePlatform = ReturnType<typeof lanePlatform>;
