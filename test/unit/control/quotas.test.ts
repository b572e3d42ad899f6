import type { Quota, Scope } from '@sluice/contracts';
import { describe, expect, it } from 'vitest';
import { createMemoryTokenStore } from '../../../adapters/memory/index.ts';
import { systemTokens } from '../../../adapters/system.ts';
import { createHandler } from '../../../functions/api/handler.ts';
import { createWorld } from '../../helpers/world.ts';
import { answerOf, request, type RequestOptions } from '../http/requests.ts';

function platform() {
  const world = createWorld();
  const handler = createHandler({ ...world.deps, ...systemTokens, list: undefined, tokens: createMemoryTokenStore(), version: '1' });
  const call = async (route: string, options: RequestOptions = {}) =>
    answerOf(await handler(request(route, { scopes: ['platform'], ...options })));
  return {
    world,
    put: (tenant: string, body: unknown, options: RequestOptions = {}) =>
      call('PUT /v1/quotas/{tenant}', { path: { tenant }, body, ...options }),
    get: (tenant: string, options: RequestOptions = {}) => call('GET /v1/quotas/{tenant}', { path: { tenant }, ...options }),
    remove: (tenant: string) => call('DELETE /v1/quotas/{tenant}', { path: { tenant } }),
    list: (query: Record<string, string> = {}) => call('GET /v1/quotas', { query }),
  };
}

describe('quotas', () => {
  it('are set, got and removed by whoever looks after the platform, and control is told each time', async () => {
    const { world, put, get, remove } = platform();
    const quota: Quota = { guaranteed: 5, cap: 10, weight: 2 };
    expect(await put('acme', quota)).toMatchObject({ status: 200, body: { tenant: 'acme', quota } });
    expect(await get('acme')).toMatchObject({ status: 200, body: { quota } });
    expect((await remove('acme')).status).toBe(204);
    expect(await get('acme')).toMatchObject({ status: 404, body: { code: 'not_found' } });
    expect((await remove('acme')).status).toBe(204);
    const told = [...Array(3)].map(() => ({ v: 1, kind: 'divide', made: world.clock.now(), tenant: 'acme' }));
    expect(world.deps.control).toHaveProperty('take');
    expect((world.deps.control as unknown as { take: () => unknown }).take()).toEqual(told);
  });

  it.each<Scope>(['submit', 'read', 'operate', 'admin'])('are no matter of the scope %s, the tenant’s own neither', async (scope) => {
    const { put, get } = platform();
    for (const answer of [await put('acme', {}, { scopes: [scope] }), await get('acme', { scopes: [scope] })]) {
      expect(answer).toMatchObject({ status: 403, body: { details: { needed: 'platform' } } });
    }
  });

  it.each([
    [{ weight: 0 }, 'weight'],
    [{ cap: 0 }, 'cap'],
    [{ guaranteed: 11, cap: 10 }, 'guaranteed is more than the cap'],
    [{ maxAgeSeconds: 9 }, 'maxAgeSeconds'],
    [{ concurrency: 5 }, 'concurrency'],
  ])('refuse %j', async (quota, message) => {
    const { put } = platform();
    const { status, body } = await put('acme', quota);
    expect([status, String(body['detail'])]).toEqual([400, expect.stringContaining(message)]);
  });

  it('refuse what is no tenant', async () => {
    expect(await platform().put('Acme#1', {})).toMatchObject({ status: 400, body: { code: 'bad_request' } });
  });

  it('are listed page by page', async () => {
    const { put, list } = platform();
    for (const tenant of ['c', 'a', 'b']) await put(tenant, {});
    const first = await list({ limit: '2' });
    expect(first.body).toMatchObject({ quotas: [{ tenant: 'a' }, { tenant: 'b' }], cursor: 'b' });
    const second = await list({ limit: '2', cursor: String(first.body['cursor']) });
    expect(second.body).toEqual({ quotas: [expect.objectContaining({ tenant: 'c' })] });
    expect(await list({ cursor: '#' })).toMatchObject({ status: 400, body: { code: 'bad_cursor' } });
  });
});
