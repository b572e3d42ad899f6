import { healthSchema, taskViewSchema, waitResponseSchema } from '@sluice/contracts';
import { describe, expect, it } from 'vitest';
import { createMemoryTaskList, createMemoryTokenStore } from '../../../adapters/memory/index.ts';
import { systemTokens } from '../../../adapters/system.ts';
import { createHandler } from '../../../functions/api/handler.ts';
import { createWorld } from '../../helpers/world.ts';
import { answerOf, request, type RequestOptions } from '../http/requests.ts';

function platform() {
  const world = createWorld({ handlers: { echo: ({ payload }) => ({ got: payload }) } });
  const timer = {
    sleep: async (ms: number) => {
      world.clock.advance(ms);
      await world.pump();
    },
  };
  const handler = createHandler({
    ...world.deps,
    ...systemTokens,
    timer,
    list: createMemoryTaskList(world.tasks),
    tokens: createMemoryTokenStore(),
    version: '1.2.3',
  });
  const call = async (route: string, options: RequestOptions) => answerOf(await handler(request(route, options)));
  return {
    world,
    get: (id: string, options: RequestOptions = {}) => call('GET /v1/tasks/{id}', { ...options, path: { id } }),
    wait: (id: string, options: RequestOptions = {}) => call('GET /v1/tasks/{id}/result', { ...options, path: { id } }),
    health: () => call('GET /v1/health', { authorizer: {}, query: { probe: '1' } }),
    openapi: () => call('GET /v1/openapi.json', { authorizer: {} }),
  };
}

describe('GET /v1/tasks/{id}', () => {
  it('shows the task with its timeline, and values when they are asked for', async () => {
    const { world, get } = platform();
    await world.submit('acme', { type: 'echo', id: 'a', payload: { n: 1 }, labels: { team: 'x' } });
    await world.run();
    const plain = await get('a');
    expect(plain.status).toBe(200);
    expect(taskViewSchema.parse(plain.body)).toEqual(plain.body);
    expect(plain.body).toMatchObject({ tenant: 'acme', state: 'succeeded', labels: { team: 'x' }, attempts: 1 });
    expect(plain.body).not.toHaveProperty('payload');
    expect((await get('a', { query: { include: 'payload' } })).body).toMatchObject({ payload: { n: 1 } });
    expect((await get('a', { query: { include: 'payload,result' } })).body).toMatchObject({
      payload: { n: 1 },
      result: { got: { n: 1 } },
    });
  });

  it('brings values from wherever they are kept', async () => {
    const { world, get } = platform();
    for (const [id, length] of Object.entries({ row: 10, item: 1_000, s3: 100_000 })) {
      const payload = 'x'.repeat(length);
      const result = 'y'.repeat(length);
      world.handlers['echo'] = () => result;
      await world.submit('acme', { type: 'echo', id, payload });
      await world.run();
      expect(await world.row('acme', id)).toMatchObject({ payload: { in: id }, result: { in: id } });
      const { body } = await get(id, { query: { include: 'payload,result' } });
      expect(body['payload'] === payload && body['result'] === result).toBe(true);
    }
  });

  it("answers the same for an unknown id and for another tenant's, with the same reads", async () => {
    const { world, get } = platform();
    await world.submit('beta', { type: 'echo', id: 'a' });
    await world.run();
    const reads: string[] = [];
    const { tasks } = world.deps;
    const handler = createHandler({
      ...world.deps,
      ...systemTokens,
      list: undefined,
      tasks: {
        ...tasks,
        get: (...args) => (reads.push('get'), tasks.get(...args)),
        attempts: (...args) => (reads.push('attempts'), tasks.attempts(...args)),
      },
      tokens: createMemoryTokenStore(),
      version: '1',
    });
    const both = await Promise.all(['a', 'b'].map((id) => handler(request('GET /v1/tasks/{id}', { path: { id } }))));
    const [foreign, unknown] = both.map(answerOf);
    expect(foreign).toMatchObject({ status: 404, body: { code: 'not_found' } });
    expect(JSON.stringify(foreign).replaceAll('\\"a\\"', '\\"b\\"')).toBe(JSON.stringify(unknown));
    expect(reads).toEqual(['get', 'get']);
    expect((await get('a', { tenant: 'beta' })).status).toBe(200);
  });

  it('does not find what is no id, or what has passed its time to live', async () => {
    const { world, get } = platform();
    expect((await get('a#H')).status).toBe(404);
    await world.submit('acme', { type: 'echo', id: 'a' });
    await world.run();
    world.clock.advance(86_400_000 + 1_000);
    expect((await get('a')).status).toBe(404);
  });

  it('takes an id that the gateway has left encoded', async () => {
    const { world, get } = platform();
    await world.submit('acme', { type: 'echo', id: 'a:b' });
    expect((await get('a%3Ab')).body).toMatchObject({ id: 'a:b' });
    expect((await get('%E0%A4%A')).status).toBe(404);
  });

  it.each([
    [{ include: 'payload,secret' }, 'include is "secret"; it takes payload and result'],
    [{ include: 'payload,' }, 'include is ""'],
    [{ include: '\t' }, 'include is "\t"'],
    [{ include: 'payload, result' }, 'include is " result"'],
    [{ inclde: 'payload' }, 'no query parameter "inclde"; this call takes include'],
  ])('refuses the query %j', async (query, detail) => {
    const { body, status } = await platform().get('a', { query });
    expect({ status, code: body['code'] }).toEqual({ status: 400, code: 'bad_request' });
    expect(body['detail']).toContain(detail);
  });

  it('needs the scope read', async () => {
    expect(await platform().get('a', { scopes: ['submit'] })).toMatchObject({ status: 403, body: { details: { needed: 'read' } } });
  });
});

describe('GET /v1/tasks/{id}/result', () => {
  it('answers 200 with the result as soon as the task is terminal', async () => {
    const { world, wait } = platform();
    await world.submit('acme', { type: 'echo', id: 'a', payload: 1 });
    const { status, body } = await wait('a', { query: { wait: '25' } });
    expect(status).toBe(200);
    expect(waitResponseSchema.parse(body)).toMatchObject({ done: true, task: { state: 'succeeded', result: { got: 1 } } });
  });

  it('answers 202 when the time is over, and at once without one', async () => {
    const { world, wait } = platform();
    await world.submit('acme', { type: 'echo', id: 'a', delaySeconds: 3_600 });
    const start = world.clock.now();
    expect(await wait('a')).toMatchObject({ status: 202, body: { done: false, task: { state: 'waiting' } } });
    expect(world.clock.now()).toBe(start);
    expect(await wait('a', { query: { wait: '10' } })).toMatchObject({ status: 202, headers: { 'retry-after': '0' } });
    expect(world.clock.now()).toBe(start + 10_000);
  });

  it.each(['26', '-1', '1.5', 'long', ''])('refuses wait=%s', async (wait) => {
    expect(await platform().wait('a', { query: { wait } })).toMatchObject({ status: 400, body: { code: 'bad_request' } });
  });

  it("does not find another tenant's task", async () => {
    const { world, wait } = platform();
    await world.submit('beta', { type: 'echo', id: 'a' });
    expect((await wait('a', { query: { wait: '25' } })).status).toBe(404);
  });
});

it('tells health without credentials', async () => {
  const { status, body } = await platform().health();
  expect(status).toBe(200);
  expect(healthSchema.parse(body)).toEqual({ status: 'ok', version: '1.2.3' });
});

it('gives the OpenAPI document without credentials, and lets it be kept for a while', async () => {
  const { status, headers, body } = await platform().openapi();
  expect(status).toBe(200);
  expect(headers).toMatchObject({ 'content-type': 'application/json', 'cache-control': 'public, max-age=300' });
  expect(body).toMatchObject({ openapi: '3.1.1', info: { title: 'Sluice' }, paths: { '/v1/tasks': { post: { operationId: 'submit' } } } });
});
