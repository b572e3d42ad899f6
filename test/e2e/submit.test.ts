import { LIMITS, problemSchema } from '@sluice/contracts';
import { beforeAll, describe, expect, test } from 'vitest';
import { call, clientOf, clientWith, finished, fresh, tokenOf, type Client } from './target.ts';

describe.concurrent('submitting', () => {
  const tenant = fresh('submitter');
  let token: string;
  let client: Client;
  beforeAll(async () => {
    token = await tokenOf(tenant);
    client = clientWith(token);
  });

  test('the same id with the same payload is the same task', async () => {
    const task = { type: 'unruly', id: fresh('same'), payload: { do: 'ok', key: 'a' } };

    const first = await client.submit(task);
    const again = await client.submit(task);

    expect(first.deduplicated).toBe(false);
    expect(again).toMatchObject({ id: task.id, uid: first.uid, deduplicated: true });
    expect(await finished(client, task.id)).toMatchObject({ uid: first.uid, state: 'succeeded', attempts: 1 });
    expect(await client.submit(task)).toMatchObject({ uid: first.uid, state: 'succeeded', deduplicated: true });
  });

  test('the same id with another payload or type is refused as a conflict', async () => {
    const task = { type: 'unruly', id: fresh('conflict'), payload: { do: 'ok', key: 'a' } };
    await client.submit(task);

    await expect(client.submit({ ...task, payload: { do: 'ok', key: 'b' } })).rejects.toMatchObject({
      status: 409,
      code: 'id_conflict',
    });
    await expect(client.submit({ ...task, type: 'unruly-wait' })).rejects.toMatchObject({ code: 'id_conflict' });
  });

  test('a hundred clients with one id at once make one task', async () => {
    const id = fresh('race');
    const clients = Array.from({ length: 100 }, () => clientWith(token));

    const answers = await Promise.all(clients.map((each) => each.submit({ type: 'unruly', id, payload: { do: 'ok' } })));

    expect(new Set(answers.map(({ uid }) => uid)).size).toBe(1);
    expect(answers.filter(({ deduplicated }) => !deduplicated)).toHaveLength(1);
    expect(await finished(client, id)).toMatchObject({ state: 'succeeded', attempts: 1 });
  });

  test('a batch accepts its good items and says what is wrong with each other one', async () => {
    const ids = [fresh('good'), fresh('good')];
    const body = JSON.stringify({
      tasks: [
        { type: 'unruly-wait', id: ids[0], payload: { do: 'ok' } },
        { type: 'no-such-type', payload: 1 },
        { type: 'unruly-wait', id: 'not an id' },
        'nonsense',
        { type: 'unruly-wait', id: ids[1], payload: { do: 'ok' } },
      ],
    });
    const response = await call('/v1/tasks/batch', { method: 'POST', body, token, isWrong: true });

    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      results: [
        { ok: true, task: { id: ids[0] } },
        { ok: false, error: { code: 'unknown_type', status: 400 } },
        { ok: false, error: { code: 'bad_request' } },
        { ok: false, error: { code: 'bad_request' } },
        { ok: true, task: { id: ids[1] } },
      ],
    });
    for (const id of ids) expect(await finished(client, id)).toMatchObject({ state: 'succeeded' });
  });

  test('more tasks than one call takes are submitted in several', async () => {
    const count = LIMITS.batchTasks + 1;
    const many = await clientOf(fresh('many'));
    const prefix = fresh('of-many');
    // Far away, so that they are accepted and kept, but nothing else of the suite waits for five hundred runs.
    const runAt = new Date(Date.now() + 86_400_000).toISOString();
    const tasks = Array.from({ length: count }, (_, n) => ({ type: 'unruly', id: `${prefix}-${n}`, payload: { do: 'ok' }, runAt }));

    const first = await many.submitMany(tasks);
    const again = await many.submitMany(tasks);

    // A slow target may answer too late: what is then sent again finds some of its own tasks.
    expect(first).toMatchObject({ done: count, accepted: count, failed: 0 });
    expect(again).toMatchObject({ accepted: count, deduplicated: count });
    expect(await many.get(`${prefix}-${count - 1}`)).toMatchObject({ state: 'waiting', attempts: 0 });
  });

  test('a batch of more than the limit is refused as a whole', async () => {
    const tasks = Array.from({ length: LIMITS.batchTasks + 1 }, () => ({ type: 'unruly' }));
    const body = JSON.stringify({ tasks });

    const response = await call('/v1/tasks/batch', { method: 'POST', body, token });

    expect(response.status).toBe(400);
    expect(problemSchema.parse(await response.json()).code).toBe('too_many_tasks');
  });

  test('a task without an id gets one of its own each time', async () => {
    const task = { type: 'unruly-wait', payload: { do: 'ok' } };
    const [one, other] = [await client.submit(task), await client.submit(task)];

    expect(one.id).not.toBe(other.id);
    expect(await finished(client, one.id)).toMatchObject({ state: 'succeeded', labels: {} });
  });

  test('labels and priority come back with the task', async () => {
    const { id } = await client.submit({ type: 'unruly-wait', payload: { do: 'ok' }, priority: 'high', labels: { order: '17' } });

    expect(await finished(client, id)).toMatchObject({ state: 'succeeded', priority: 'high', labels: { order: '17' } });
  });
});
