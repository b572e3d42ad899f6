import type { BreakerView, LaneSummary, LaneView, ShardMap, TenantShards } from '@sluice/contracts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SluiceClient } from '../../../packages/client/src/index.ts';
import { answer, cut, startApiServer, type ApiServer } from './api-server.ts';
import { problem } from './samples.ts';

let server: ApiServer;
let client: SluiceClient;
beforeEach(async () => {
  server = await startApiServer();
  client = new SluiceClient({ baseUrl: server.baseUrl, token: 't', minRetryDelayMs: 1, retries: 3 });
});
afterEach(() => server.close());

const calls = () => server.received.map(({ method, url }) => `${method} ${url}`);
async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

describe('lanes', () => {
  const lane = (type: string): LaneSummary => ({
    tenant: 'acme',
    type,
    inFlight: 1,
    limit: 10,
    limitedBy: { by: 'concurrency' },
    waiting: { tasks: 0, more: false },
    breaker: 'closed',
    why: { code: 'open', message: 'nothing holds it back' },
  });
  const none = { tasks: 0, more: false };
  const view: LaneView = {
    ...lane('a.b'),
    limits: { concurrency: 10, capacities: [], rates: [], retries: 60 },
    waitingByClass: { high: none, normal: none, low: none },
    waitingForBudget: none,
  };

  it('are got by their type, of the own tenant or another', async () => {
    server.reply(cut, answer(200, view), answer(200, view));
    expect(await client.lanes.get('a.b')).toEqual(view);
    expect(await client.lanes.get('a.b', { tenant: 'globex' })).toEqual(view);
    expect(calls()).toEqual(['GET /v1/lanes/a.b', 'GET /v1/lanes/a.b', 'GET /v1/lanes/a.b?tenant=globex']);
  });

  it('are listed through all pages, of which some are empty', async () => {
    server.reply(
      answer(200, { lanes: [lane('a'), lane('b')], cursor: 'x y' }),
      answer(200, { lanes: [], cursor: 'z' }),
      answer(200, { lanes: [lane('c')] }),
    );
    const lanes = await all(client.lanes.list({ tenant: '*', waiting: true, pageSize: 2 }));
    expect(lanes.map(({ type }) => type)).toEqual(['a', 'b', 'c']);
    expect(calls()).toEqual([
      'GET /v1/lanes?tenant=*&waiting=true&limit=2',
      'GET /v1/lanes?tenant=*&waiting=true&limit=2&cursor=x%20y',
      'GET /v1/lanes?tenant=*&waiting=true&limit=2&cursor=z',
    ]);
  });

  it('are turned page by page', async () => {
    const page = { lanes: [lane('a')], cursor: 'x' };
    server.reply(answer(200, page), answer(200, { lanes: [] }), answer(400, problem('bad_cursor')));
    expect(await client.lanes.page({ type: 'a' })).toEqual(page);
    expect(await client.lanes.page({ type: 'a', waiting: false, cursor: 'x' })).toEqual({ lanes: [] });
    await expect(client.lanes.page({ cursor: 'x' })).rejects.toMatchObject({ name: 'BadRequestError', code: 'bad_cursor' });
    expect(calls()).toEqual(['GET /v1/lanes?type=a', 'GET /v1/lanes?type=a&cursor=x', 'GET /v1/lanes?cursor=x']);
  });

  it('are not asked for by what is none', async () => {
    await expect(client.lanes.get('../tokens')).rejects.toThrow('is no task type');
    await expect(client.lanes.get('a', { tenant: '*' })).rejects.toThrow('"*" is no tenant');
    expect(() => client.lanes.list({ pageSize: 101 })).toThrow('pageSize');
    expect(() => client.lanes.list({ tenant: 'A' })).toThrow('tenant');
    await expect(client.lanes.page({ type: 'A' })).rejects.toThrow('type');
    expect(calls()).toEqual([]);
  });

  it('of a type that is not deployed are not found', async () => {
    server.reply(answer(404, problem('not_found')), answer(403, problem('forbidden')));
    await expect(client.lanes.get('gone')).rejects.toMatchObject({ name: 'NotFoundError' });
    await expect(client.lanes.get('a', { tenant: 'globex' })).rejects.toMatchObject({ name: 'ForbiddenError' });
  });
});

describe('breakers', () => {
  const view: BreakerView = {
    breaker: 'type:a.b',
    state: 'open',
    since: '2026-01-01T00:00:00.000Z',
    why: { message: 'it is all of them', crashedTasks: 3, tenants: ['acme'], otherAttempts: 0 },
    held: { tasks: 2, more: false, lanes: 1 },
  };

  it('are listed, all or those of a state', async () => {
    server.reply(answer(503, problem('unavailable')), answer(200, { breakers: [view] }), answer(200, { breakers: [] }));
    expect(await client.breakers.list()).toEqual([view]);
    expect(await client.breakers.list({ state: 'half-open' })).toEqual([]);
    expect(calls()).toEqual(['GET /v1/breakers', 'GET /v1/breakers', 'GET /v1/breakers?state=half-open']);
  });

  it('are got by their type or resource', async () => {
    server.reply(answer(200, view), answer(200, view), answer(404, problem('not_found')));
    expect(await client.breakers.get('a.b')).toEqual(view);
    expect(await client.breakers.get('resource:stripe-api')).toEqual(view);
    await expect(client.breakers.get('gone')).rejects.toMatchObject({ name: 'NotFoundError' });
    await expect(client.breakers.get('../tokens')).rejects.toThrow('is no breaker');
    expect(calls()).toEqual(['GET /v1/breakers/type%3Aa.b', 'GET /v1/breakers/resource%3Astripe-api', 'GET /v1/breakers/type%3Agone']);
  });
});

describe('shards', () => {
  const map: ShardMap = {
    shards: 2,
    shardsPerTenant: 1,
    combinations: 2,
    chanceOfSharingAll: 0.5,
    tenants: 3,
    tenantsOfShard: [2, 1],
    dedicated: [],
    moved: [],
  };
  const of: TenantShards = {
    tenant: 'acme',
    shards: [1],
    queues: { high: ['high-1'], normal: ['normal-1'], low: ['low-1'] },
    sharing: [1, 1],
    expectedSharingAll: 1,
  };

  it('are told as a map, and of one tenant', async () => {
    server.reply(cut, answer(200, map), answer(200, of));
    expect(await client.shards.map()).toEqual(map);
    expect(await client.shards.of('acme')).toEqual(of);
    expect(calls()).toEqual(['GET /v1/shards', 'GET /v1/shards', 'GET /v1/shards/acme']);
  });

  it('are not asked for by what is no tenant, and an answer that is none is told', async () => {
    await expect(client.shards.of('../quotas')).rejects.toThrow('is no tenant');
    server.reply(answer(200, { ...map, shards: 'two' }));
    await expect(client.shards.map()).rejects.toMatchObject({ name: 'SchemaMismatchError' });
    expect(calls()).toEqual(['GET /v1/shards']);
  });
});
