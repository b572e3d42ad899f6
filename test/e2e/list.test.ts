import type { TaskSummary } from '@sluice/contracts';
import { beforeAll, describe, expect, test } from 'vitest';
import { call, clientOf, eventually, finished, fresh, tokenOf, type Client } from './target.ts';

const COUNT = 60;
const later = { delaySeconds: 86_400 };

describe.concurrent('list', () => {
  const tenant = fresh('lister');
  let client: Client;
  let token: string;

  async function all(filter: Parameters<Client['list']>[0] = {}): Promise<TaskSummary[]> {
    const tasks: TaskSummary[] = [];
    for await (const task of client.list(filter)) tasks.push(task);
    return tasks;
  }

  beforeAll(async () => {
    client = await clientOf(tenant, ['submit', 'read', 'operate']);
    token = await tokenOf(tenant, ['read']);
    await client.submitMany(
      [...Array(COUNT).keys()].map((n) => ({
        type: n % 2 === 0 ? 'unruly' : 'unruly-wait',
        id: `t${n}`,
        payload: { do: 'ok' },
        labels: { third: String(n % 3), half: String(n % 2) },
        ...later,
      })),
    );
    await eventually('the index to have all', async () => ((await all()).length >= COUNT ? true : undefined));
  });

  test('gives every task once, the newest first, over pages', async () => {
    const tasks = await all({ pageSize: 7, to: new Date(Date.now() + 1_000) });
    const ours = tasks.filter(({ id }) => /^t\d+$/.test(id));
    expect(new Set(ours.map(({ id }) => id)).size).toBe(COUNT);
    expect(ours).toHaveLength(COUNT);
    const uids = tasks.map(({ uid }) => uid);
    expect(uids).toEqual(uids.toSorted().reverse());
  });

  test('filters by type, state and labels, all of which must hold', async () => {
    const tasks = await all({ type: 'unruly', state: 'waiting', labels: { third: '1' }, pageSize: 5 });
    expect(tasks.map(({ id }) => id).toSorted()).toEqual(
      [...Array(COUNT).keys()]
        .filter((n) => n % 2 === 0 && n % 3 === 1)
        .map((n) => `t${n}`)
        .toSorted(),
    );
    expect(await all({ labels: { third: '1', half: '7' } })).toEqual([]);
    expect(await all({ labels: { half: '0' }, state: 'failed' })).toEqual([]);
  });

  test('filters by time', async () => {
    expect(await all({ to: new Date(Date.now() - 3_600_000) })).toEqual([]);
    const recent = await all({ from: new Date(Date.now() - 3_600_000) });
    expect(recent.length).toBeGreaterThanOrEqual(COUNT);
  });

  test('shows what has become of a task', async () => {
    const { id } = await client.submit({ type: 'unruly-wait', payload: { do: 'fatal' }, labels: { test: 'became' } });
    await finished(client, id);
    const [task] = await eventually('the index to have it', async () => {
      const found = await all({ labels: { test: 'became' }, state: 'failed' });
      return found.length > 0 ? found : undefined;
    });
    expect(task).toMatchObject({ id, state: 'failed', reason: 'fatal', attempts: 1, error: { name: 'FatalError' } });
    expect(task?.error).not.toHaveProperty('stack');
  });

  test('shows nothing of another tenant, not with its cursor either', async () => {
    const stranger = fresh('stranger');
    const strangers = await clientOf(stranger, ['submit', 'read']);
    await strangers.submit({ type: 'unruly', payload: { do: 'ok' }, ...later });
    expect((await all()).every((task) => task.tenant === tenant)).toBe(true);

    const page = await call('/v1/tasks?limit=5', { token });
    const { cursor } = (await page.json()) as { cursor: string };
    const refused = await call(`/v1/tasks?limit=5&cursor=${cursor}`, { token: await tokenOf(stranger, ['read']) });
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({ code: 'bad_cursor' });
  });

  test('refuses a cursor that was tampered with, or that belongs to other filters', async () => {
    const page = await call('/v1/tasks?limit=5', { token });
    const { cursor } = (await page.json()) as { cursor: string };
    const other = cursor.at(-1) === 'A' ? 'B' : 'A';
    for (const bad of [cursor.slice(0, -2) + other + other, `${cursor}A`, 'nonsense', '']) {
      const response = await call(`/v1/tasks?limit=5&cursor=${bad}`, { token });
      expect(await response.json()).toMatchObject({ status: 400, code: 'bad_cursor' });
    }
    const elsewhere = await call(`/v1/tasks?limit=5&type=unruly&cursor=${cursor}`, { token });
    expect(await elsewhere.json()).toMatchObject({ code: 'bad_cursor' });
    expect((await call(`/v1/tasks?limit=5&cursor=${cursor}`, { token })).status).toBe(200);
  });
});
