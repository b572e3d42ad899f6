import { listResponseSchema, type TaskSummary } from '@sluice/contracts';
import { describe, expect, it } from 'vitest';
import { createMemoryTaskList, createMemoryTokenStore } from '../../../adapters/memory/index.ts';
import { systemTokens } from '../../../adapters/system.ts';
import { createHandler } from '../../../functions/api/handler.ts';
import { createWorld } from '../../helpers/world.ts';
import { answerOf, request, type RequestOptions } from '../http/requests.ts';

function platform({ listIndex = true } = {}) {
  const world = createWorld();
  const list = listIndex ? createMemoryTaskList(world.tasks) : undefined;
  const handler = createHandler({ ...world.deps, ...systemTokens, list, tokens: createMemoryTokenStore(), version: '1' });
  const get = async (query: RequestOptions['query'] = {}, options: RequestOptions = {}) =>
    answerOf(await handler(request('GET /v1/tasks', { ...options, query })));
  const ids = async (query: RequestOptions['query'] = {}, options: RequestOptions = {}): Promise<readonly string[]> =>
    ((await get(query, options)).body['tasks'] as readonly TaskSummary[]).map(({ id }) => id);
  return { world, get, ids };
}

describe('GET /v1/tasks', () => {
  it('lists tasks, the newest first, by the page', async () => {
    const { world, get } = platform();
    for (const id of ['a', 'b', 'c']) {
      await world.submit('acme', { type: 'echo', id });
      world.clock.advance(1);
    }
    const first = await get({ limit: '2' });
    expect(first.status).toBe(200);
    const page = listResponseSchema.parse(first.body);
    expect(page).toEqual(first.body);
    expect(page.tasks.map(({ id }) => id)).toEqual(['c', 'b']);
    const next = await get({ limit: '2', cursor: page.cursor ?? '' });
    expect(next.body).toMatchObject({ tasks: [{ id: 'a', tenant: 'acme', state: 'waiting', labels: {} }] });
    expect(next.body).not.toHaveProperty('cursor');
  });

  it('filters by type, state, time and every label, also by one with a comma, a colon or a blank', async () => {
    const { world, ids } = platform();
    const start = new Date(world.clock.now()).toISOString();
    await world.submit('acme', { type: 'echo', id: 'old', labels: { team: 'x', note: 'a,b: c+d' } });
    world.clock.advance(1_000);
    await world.submit('acme', { type: 'echo', id: 'new', labels: { team: 'x' } });
    const later = new Date(world.clock.now()).toISOString();
    expect(await ids({ type: 'echo', state: 'waiting' })).toEqual(['new', 'old']);
    expect(await ids({ type: 'other' })).toEqual([]);
    expect(await ids({ state: 'cancelling' })).toEqual([]);
    expect(await ids({ from: later })).toEqual(['new']);
    expect(await ids({ from: start, to: later })).toEqual(['old']);
    expect(await ids('label=team:x')).toEqual(['new', 'old']);
    expect(await ids(`label=${encodeURIComponent('note:a,b: c+d')}&label=team%3Ax`)).toEqual(['old']);
    expect(await ids('label=team:y')).toEqual([]);
  });

  it("shows no other tenant's tasks, and takes no other tenant's cursor", async () => {
    const { world, get, ids } = platform();
    for (const tenant of ['acme', 'acme-2']) await world.submit(tenant, { type: 'echo', id: tenant }, { type: 'echo' });
    expect(await ids({ limit: '9' }, { tenant: 'acme-2' })).toHaveLength(2);
    const { body } = await get({ limit: '1' });
    const foreign = await get({ limit: '1', cursor: String(body['cursor']) }, { tenant: 'acme-2' });
    expect(foreign).toMatchObject({ status: 400, body: { code: 'bad_cursor' } });
  });

  it('needs the scope read, and the index', async () => {
    expect(await platform().get({}, { scopes: ['submit'] })).toMatchObject({ status: 403, body: { details: { needed: 'read' } } });
    const { status, body } = await platform({ listIndex: false }).get();
    expect({ status, code: body['code'] }).toEqual({ status: 400, code: 'not_enabled' });
    expect(body['detail']).toContain('listIndex');
  });

  it.each([
    ['limit=0', 'limit is "0"; it takes a whole number from 1 to 200'],
    ['limit=201', 'limit is "201"'],
    ['limit=many', 'limit is "many"'],
    ['limit=', 'limit is ""'],
    ['limit=0x10', 'limit is "0x10"'],
    ['limit=1e1', 'limit is "1e1"'],
    ['state=done', 'state is "done"; it takes one of waiting, running, succeeded, failed, expired, cancelled, cancelling'],
    ['state=failed&state=expired', 'state is "failed,expired"'],
    ['type=Echo', 'type is "Echo"; it takes the name of a task type'],
    ['from=yesterday', 'from is "yesterday"; it takes a time such as 2026-01-31T12:00:00Z'],
    ['to=2026-01-01', 'to is "2026-01-01"'],
    ['label=team:x&label=urgent', 'label is "urgent"; it takes key:value'],
    [Array.from({ length: 11 }, (_, n) => `label=k${n}:v`).join('&'), 'up to 10 times'],
    ['colour=red', 'no query parameter "colour"; this call takes type, state, label, from, to, limit, cursor'],
    ['from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z', 'from must be before to'],
  ])('refuses %s', async (query, detail) => {
    const { status, body } = await platform().get(query);
    expect({ status, code: body['code'] }).toEqual({ status: 400, code: 'bad_request' });
    expect(body['detail']).toContain(detail);
  });

  it.each(['cursor=', 'cursor=x', `cursor=${'x'.repeat(600)}`])('takes no %s for a cursor', async (query) => {
    expect(await platform().get(query)).toMatchObject({ status: 400, body: { code: 'bad_cursor' } });
  });
});
