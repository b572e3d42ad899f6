import { acceptedSchema, batchResponseSchema, LIMITS, SluiceError } from '@sluice/contracts';
import { describe, expect, it } from 'vitest';
import { createMemoryTokenStore } from '../../../adapters/memory/index.ts';
import { createHandler } from '../../../functions/submit/handler.ts';
import { createWorld } from '../../helpers/world.ts';
import { answerOf, request, type RequestOptions } from '../http/requests.ts';

function platform() {
  const world = createWorld();
  const handler = createHandler({
    submit: (tenant, submissions) => world.submit(tenant, ...submissions),
    tokens: createMemoryTokenStore(),
    telemetry: world.telemetry,
  });
  const call = async (route: string, options: RequestOptions) => answerOf(await handler(request(route, options)));
  return {
    world,
    one: (body: unknown, options: RequestOptions = {}) => call('POST /v1/tasks', { ...options, body }),
    batch: (body: unknown, options: RequestOptions = {}) => call('POST /v1/tasks/batch', { ...options, body }),
  };
}

describe('POST /v1/tasks', () => {
  it('answers 201 for a new task and 200 for one that exists', async () => {
    const { one } = platform();
    const first = await one({ type: 'echo', id: 'a', payload: { n: 1 } });
    expect(first).toMatchObject({ status: 201, body: { id: 'a', state: 'waiting', deduplicated: false } });
    expect(acceptedSchema.parse(first.body)).toEqual(first.body);
    expect(await one({ type: 'echo', id: 'a', payload: { n: 1 } })).toMatchObject({
      status: 200,
      body: { id: 'a', uid: first.body['uid'], deduplicated: true },
    });
  });

  it('takes a body in base64', async () => {
    const { one, world } = platform();
    expect((await one({ type: 'echo', id: 'a', payload: '€' }, { base64: true })).status).toBe(201);
    expect((await world.row('acme', 'a')).payload).toEqual({ in: 'row', json: '"€"' });
  });

  it('keeps the same id of two tenants apart', async () => {
    const { one } = platform();
    expect((await one({ type: 'echo', id: 'a', payload: 1 }, { tenant: 'acme' })).status).toBe(201);
    expect((await one({ type: 'echo', id: 'a', payload: 2 }, { tenant: 'beta' })).status).toBe(201);
  });

  it.each([
    ['another payload under a known id', { type: 'echo', id: 'known', payload: 2 }, 409, 'id_conflict'],
    ['an unknown type', { type: 'nope' }, 400, 'unknown_type'],
    ['an unknown field', { type: 'echo', colour: 'red' }, 400, 'bad_request'],
    ['no object', 'text', 400, 'malformed_json'],
    ['a list', [], 400, 'bad_request'],
    ['a payload that is too large', { type: 'echo', payload: 'x'.repeat(LIMITS.payloadBytes) }, 413, 'payload_too_large'],
    ['a body that is too large', { type: 'echo', payload: 'x'.repeat(LIMITS.bodyBytes) }, 413, 'body_too_large'],
  ])('refuses %s', async (_, body, status, code) => {
    const { one } = platform();
    await one({ type: 'echo', id: 'known', payload: 1 });
    expect(await one(body)).toMatchObject({ status, body: { code } });
  });

  it('needs the scope submit', async () => {
    const { one } = platform();
    expect(await one({ type: 'echo' }, { scopes: ['read', 'operate'] })).toMatchObject({
      status: 403,
      body: { details: { needed: 'submit' } },
    });
  });
});

describe('POST /v1/tasks/batch', () => {
  it('answers each item on its own, in order', async () => {
    const { batch } = platform();
    const { status, body } = await batch({ tasks: [{ type: 'echo', id: 'a' }, { type: 'nope' }, { type: 'echo', id: 'a' }] });
    expect(status).toBe(200);
    expect(batchResponseSchema.parse(body).results).toMatchObject([
      { ok: true, task: { id: 'a', deduplicated: false } },
      { ok: false, error: { code: 'unknown_type', status: 400 } },
      { ok: true, task: { id: 'a', deduplicated: true } },
    ]);
  });

  it('takes as many tasks as the limit, and no more', async () => {
    const { batch, world } = platform();
    const tasks = Array.from({ length: LIMITS.batchTasks + 1 }, (_, n) => ({ type: 'echo', id: `t${n}` }));
    expect(await batch({ tasks })).toMatchObject({ status: 400, body: { code: 'too_many_tasks', details: { limit: 500, tasks: 501 } } });
    expect(world.tasks.rows()).toHaveLength(0);
    expect((await batch({ tasks: tasks.slice(1) })).status).toBe(200);
    expect(world.tasks.rows()).toHaveLength(LIMITS.batchTasks);
  });

  it.each([[{ tasks: [] }], [{ tasks: 'a' }], [[]], [{ tasks: [{ type: 'echo' }], more: 1 }]])('refuses %j', async (body) => {
    expect(await platform().batch(body)).toMatchObject({ status: 400, body: { code: 'bad_request' } });
  });

  it('tells no item what a service behind said', async () => {
    const world = createWorld();
    const submit = async () => [{ ok: false as const, error: new SluiceError('unavailable', 'x', { cause: new Error('arn:aws') }) }];
    const handler = createHandler({ submit, tokens: createMemoryTokenStore(), telemetry: world.telemetry });
    const { body } = answerOf(await handler(request('POST /v1/tasks/batch', { body: { tasks: [{ type: 'echo' }] } })));
    expect(JSON.stringify(body)).not.toContain('arn:');
    expect(body).toMatchObject({ results: [{ ok: false, error: { code: 'unavailable' } }] });
    expect(world.telemetry.lines()).toHaveLength(1);
  });
});
