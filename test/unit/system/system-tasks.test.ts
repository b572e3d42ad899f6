import { type Envelope, kitReplySchema, SYSTEM_TYPES, systemId } from '@sluice/contracts';
import { describe, expect, it } from 'vitest';
import { listTasks } from '../../../core/api/list-tasks.ts';
import { createMemoryTaskList } from '../../../adapters/memory/index.ts';
import { runSystemTask, SystemTaskError } from '../../../core/system/run-system-task.ts';
import { submitSystemTask } from '../../../core/system/submit-system-task.ts';
import { createHandler } from '../../../functions/system/handler.ts';
import { envelopeSample } from '../../helpers/samples.ts';
import { createWorld, typeSpec } from '../../helpers/world.ts';

const TYPES = [typeSpec('echo'), typeSpec(SYSTEM_TYPES.fire)];
const FIRE = { type: SYSTEM_TYPES.fire, id: systemId('fire', 'nightly'), payload: { n: 1 } };

describe('tasks of the platform itself', () => {
  it('are submitted by nobody else, neither by their type nor by their id', async () => {
    const world = createWorld({ types: TYPES });
    const results = await world.submit('a', { type: 'sluice.fire' }, { type: 'echo', id: 'sluice:fire:nightly' }, { type: 'nope' });
    expect(results.map((result) => (result.ok ? 'ok' : result.error.code))).toEqual(['bad_request', 'bad_request', 'unknown_type']);
    expect(results.map((result) => (result.ok ? '' : result.error.message))).toEqual([
      expect.stringContaining('names that begin with "sluice." are the platform\'s own; choose another'),
      expect.stringContaining('ids that begin with "sluice:" are the platform\'s own; choose another'),
      // The platform's own types are not offered.
      'there is no task type "nope"; deployed are: echo',
    ]);
  });

  it('are one task for one id, and run like any other', async () => {
    const world = createWorld({ types: TYPES, handlers: { [SYSTEM_TYPES.fire]: ({ payload }) => payload } });
    const first = await submitSystemTask(world.deps, 'a', FIRE);
    expect(await submitSystemTask(world.deps, 'a', FIRE)).toMatchObject({ uid: first.uid, deduplicated: true });
    await world.run();
    expect(await world.row('a', FIRE.id)).toMatchObject({ state: 'succeeded', type: 'sluice.fire', result: { json: '{"n":1}' } });
  });

  it('are listed only where their type is asked for', async () => {
    const world = createWorld({ types: TYPES });
    await submitSystemTask(world.deps, 'a', FIRE);
    await world.submit('a', { type: 'echo', id: 'mine' });
    const deps = { ...world.deps, list: createMemoryTaskList(world.tasks) };
    const idsOf = async (query: { type?: string }) => (await listTasks(deps, 'a', query)).tasks.map(({ id }) => id);
    expect(await idsOf({})).toEqual(['mine']);
    expect(await idsOf({ type: 'sluice.fire' })).toEqual([FIRE.id]);
  });
});

describe('the system function', () => {
  const clock = { now: () => 1_000 };
  const envelope: Envelope = { ...envelopeSample({ type: SYSTEM_TYPES.fire }), payload: { n: 1 } };

  it('hands a task to the handler of its type', async () => {
    const reply = await runSystemTask({ 'sluice.fire': async (payload, { tenant }) => ({ payload, tenant }) }, clock, envelope);
    expect(reply).toEqual({
      sluice: { version: 1, class: 'succeeded', startedAt: 1_000, endedAt: 1_000 },
      result: { payload: { n: 1 }, tenant: 'a' },
    });
  });

  it.each([
    ['an error', () => new Error('no'), { class: 'retryable', error: { name: 'Error', message: 'no' } }],
    ['a fatal one', () => new SystemTaskError('fatal', 'gone'), { class: 'fatal', error: { name: 'SystemTaskError', message: 'gone' } }],
    [
      'one that names a time',
      () => new SystemTaskError('throttled', 'slow down', { retryAfterMs: 5_000 }),
      { class: 'throttled', retryAfterMs: 5_000 },
    ],
  ])('answers %s as the handler kit does', async (_, error, expected) => {
    const reply = await runSystemTask({ 'sluice.fire': () => Promise.reject(error()) }, clock, envelope);
    expect(kitReplySchema.parse(reply).sluice).toMatchObject(expected);
  });

  it('fails a task of a type that it does not know, for good', async () => {
    const reply = await runSystemTask({}, clock, envelope);
    expect(reply.sluice).toMatchObject({ class: 'fatal', error: { message: 'the platform has no handler for sluice.fire' } });
  });

  it('gets a large payload from its URL', async () => {
    const handlers = { 'sluice.fire': async (payload: unknown) => payload };
    const asked: unknown[] = [];
    const answer = (status: number) =>
      createHandler({
        handlers,
        clock,
        fetch: async (url) => (asked.push(url), new Response('{"n":2}', { status })),
      });
    const event = { sluice: envelope.sluice, payloadUrl: 'https://bucket/payload' };
    expect(await answer(200)(event)).toMatchObject({ sluice: { class: 'succeeded' }, result: { n: 2 } });
    await expect(answer(403)(event)).rejects.toThrow("the payload's URL answered 403");
    expect(asked).toEqual(['https://bucket/payload', 'https://bucket/payload']);
  });
});
