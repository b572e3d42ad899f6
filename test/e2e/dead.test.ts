import type { DeadTask } from '@sluice/contracts';
import { beforeAll, describe, expect, test } from 'vitest';
import { call, clientOf, eventually, finished, fresh, tokenOf, type Client } from './target.ts';

const FATAL = { type: 'unruly', payload: { do: 'fatal' } };

async function all(client: Client, filter: Parameters<Client['dead']['list']>[0] = {}): Promise<DeadTask[]> {
  const tasks: DeadTask[] = [];
  for await (const task of client.dead.list(filter)) tasks.push(task);
  return tasks;
}

const countOf = (client: Client, count: number) =>
  eventually(`${count} dead tasks`, async () => {
    const tasks = await all(client);
    return tasks.length === count ? tasks : undefined;
  });

describe.concurrent('dead letters', () => {
  test('are listed by what they failed of, with where their log lines are, and not those of another tenant', async () => {
    const client = await clientOf(fresh('dead'));
    const { id } = await client.submit({ ...FATAL, id: fresh('one'), labels: { team: 'x' } });
    await client.submit({ ...FATAL, type: 'unruly-wait', id: fresh('two') });
    const tasks = await countOf(client, 2);
    expect(tasks.map(({ failedAt }) => failedAt)).toEqual(
      tasks
        .map(({ failedAt }) => failedAt)
        .toSorted()
        .reverse(),
    );
    expect(await all(client, { labels: { team: 'x' }, type: 'unruly', error: 'FatalError', reason: 'fatal' })).toMatchObject([{ id }]);
    expect(await all(client, { error: 'Fatal' })).toEqual([]);
    expect(await all(client, { to: new Date(Date.now() - 3_600_000) })).toEqual([]);
    expect(tasks[0]?.error).not.toHaveProperty('stack');
    for (const task of tasks) {
      const [attempt] = (await client.get(task.id)).timeline.attempts;
      expect(attempt?.log).toEqual({ group: expect.stringMatching(/./) as string, requestId: expect.stringMatching(/./) as string });
    }
    const page = await client.dead.page({ pageSize: 1 });
    expect(page.tasks).toHaveLength(1);
    expect((await client.dead.page({ pageSize: 1, cursor: page.cursor })).tasks[0]?.id).not.toBe(page.tasks[0]?.id);
    const stranger = await clientOf(fresh('stranger'));
    expect(await all(stranger)).toEqual([]);
    await expect(stranger.dead.page({ pageSize: 1, cursor: page.cursor })).rejects.toMatchObject({ code: 'bad_cursor' });
  });

  test('are retried with another payload as a new task, once', async () => {
    const client = await clientOf(fresh('dead'), ['submit', 'read', 'operate']);
    const { id, uid } = await client.submit({ ...FATAL, id: fresh('one'), priority: 'high', labels: { team: 'x' } });
    await finished(client, id);
    await countOf(client, 1);
    const as = { payload: { do: 'ok' } };
    const made = await client.retry(id, { uid, as });
    expect(await client.retry(id, { uid, as })).toMatchObject({ id: made.id, uid: made.uid, deduplicated: true });
    await expect(client.retry(id, { uid, as: { payload: { do: 'fatal' }, id: fresh('another') } })).rejects.toMatchObject({
      code: 'state_conflict',
    });
    const task = await finished(client, made.id);
    expect(task).toMatchObject({ state: 'succeeded', redriveOf: { id, uid }, priority: 'high', labels: { team: 'x' } });
    expect(await client.get(id)).toMatchObject({ state: 'failed', redrivenAs: { id: made.id, uid: made.uid } });
    await countOf(client, 0);
  });
});

describe.concurrent('a redrive', () => {
  const tenant = fresh('redrive');
  let client: Client;
  beforeAll(async () => {
    client = await clientOf(tenant, ['submit', 'read', 'operate']);
  });

  test('says what it would do, and then runs each task again, after a first wave', async () => {
    const ids = Array.from({ length: 6 }, () => fresh('many'));
    await client.submitMany(ids.map((id) => ({ ...FATAL, id, labels: { test: 'many' } })));
    const filter = { labels: { test: 'many' } };
    const first = await eventually('all to be dead', async () => {
      const plan = await client.redrives.plan({ filter });
      return plan.count === ids.length ? plan : undefined;
    });
    expect(first).toMatchObject({ more: false, byType: { unruly: 6 }, byError: { FatalError: 6 } });
    const { id } = await client.redrives.create({ filter, canary: { tasks: 2, maxFailureShare: 1, waitSeconds: 60 } });
    const ended = await client.redrives.wait(id, { timeoutSeconds: 90 });
    expect(ended).toMatchObject({ state: 'done', matched: 6, redriven: 6, canary: { result: { redriven: 2, failed: 2 } } });
    for (const task of ids) expect(await client.get(task)).toMatchObject({ redrive: id });
    const listed = [];
    for await (const each of client.redrives.list()) listed.push(each.id);
    expect(listed).toContain(id);
  });

  test('stops when its first wave fails again', async () => {
    const { id: task } = await client.submit({ ...FATAL, id: fresh('wave') });
    await finished(client, task);
    const { id } = await client.redrives.create({ ids: [task], canary: { tasks: 1, maxFailureShare: 0, waitSeconds: 60 } });
    expect(await client.redrives.wait(id, { timeoutSeconds: 90 })).toMatchObject({ state: 'stopped', redriven: 1 });
    await expect(client.redrives.cancel(id)).rejects.toMatchObject({ code: 'state_conflict' });
  });

  test('needs the scope operate, and is unknown to another tenant', async () => {
    const { id } = await client.redrives.create({ ids: ['nobody'] });
    const refused = await call('/v1/redrives', { method: 'POST', token: await tokenOf(tenant, ['read']), body: '{"filter":{}}' });
    expect(refused.status).toBe(403);
    const stranger = await clientOf(fresh('stranger'), ['read', 'operate']);
    await expect(stranger.redrives.get(id)).rejects.toMatchObject({ code: 'not_found' });
    expect(await client.redrives.wait(id, { timeoutSeconds: 60 })).toMatchObject({ state: 'done', redriven: 0 });
  });
});
