import { beforeAll, describe, expect, test } from 'vitest';
import { useReportsServer } from './reports-server.ts';
import { call, clientOf, eventually, finished, fresh, tokenOf, type Client } from './target.ts';

const reports = useReportsServer();
let client: Client;
let tenant: string;
beforeAll(async () => {
  tenant = fresh('ops');
  client = await clientOf(tenant, ['submit', 'read', 'operate']);
});

describe.concurrent('cancel', () => {
  test('a task that waits is cancelled at once and never runs', async () => {
    const { id, uid } = await client.submit({ type: 'unruly', payload: { do: 'ok' }, delaySeconds: 600 });
    expect(await client.cancel(id)).toEqual({ id, uid, state: 'cancelled' });
    expect(await client.cancel(id)).toEqual({ id, uid, state: 'cancelled' });
    expect(await client.get(id)).toMatchObject({ state: 'cancelled', reason: 'cancelled', attempts: 0 });
  });

  test('a task that is far away is cancelled at once', async () => {
    const { id } = await client.submit({ type: 'unruly', payload: { do: 'ok' }, delaySeconds: 100 * 86_400 });
    expect(await client.cancel(id)).toMatchObject({ state: 'cancelled' });
  });

  test('a running task without the kit reads cancelling until its attempt has failed, and is not run again', async () => {
    const { id } = await client.submit({ type: 'unruly', payload: { do: 'hang' } });
    await eventually(`${id} to run`, async () => ((await client.get(id)).state === 'running' ? true : undefined));
    expect(await client.cancel(id)).toMatchObject({ state: 'cancelling' });
    expect(await client.get(id)).toMatchObject({ state: 'cancelling' });
    expect(await finished(client, id)).toMatchObject({ state: 'cancelled', attempts: 1 });
  });

  test('a running attempt is aborted through the kit, and takes back what it had ordered', async () => {
    const name = fresh('never');
    const { id } = await client.submit({ type: 'slow-report', payload: { name } });
    await eventually(`${id} to order`, async () => (reports.calls(name).includes('GET') ? true : undefined));
    await client.cancel(id);
    const task = await finished(client, id);
    expect(task).toMatchObject({ state: 'cancelled', attempts: 1 });
    expect(reports.calls(name).at(-1)).toBe('DELETE');
  });

  test('a success that comes all the same wins', async () => {
    const { id } = await client.submit({ type: 'unruly', payload: { do: 'slow', ms: 2_500 } });
    await eventually(`${id} to run`, async () => ((await client.get(id)).state === 'running' ? true : undefined));
    await client.cancel(id);
    expect(await finished(client, id)).toMatchObject({ state: 'succeeded' });
    await expect(client.cancel(id)).rejects.toMatchObject({ status: 409, code: 'state_conflict' });
  });

  test("another tenant's task is as unknown as one that never was", async () => {
    const { id } = await client.submit({ type: 'unruly', payload: { do: 'ok' }, delaySeconds: 600 });
    const other = await clientOf(fresh('other'), ['operate', 'read']);
    for (const unknown of [id, fresh('never')]) {
      await expect(other.cancel(unknown)).rejects.toMatchObject({ status: 404, code: 'not_found' });
      await expect(other.retry(unknown)).rejects.toMatchObject({ status: 404, code: 'not_found' });
    }
    expect(await client.get(id)).toMatchObject({ state: 'waiting' });
  });

  test('needs the scope operate', async () => {
    const token = await tokenOf(tenant, ['submit', 'read']);
    const response = await call('/v1/tasks/x/cancel', { method: 'POST', token });
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({ code: 'forbidden' });
  });
});

describe.concurrent('retry', () => {
  test('a failed task runs again as a new generation, with its payload', async () => {
    const payload = { do: 'fatal', key: 'x'.repeat(9_000) };
    const { id, uid } = await client.submit({ type: 'unruly', payload });
    await finished(client, id);
    const retried = await client.retry(id);
    expect(retried).toMatchObject({ id, deduplicated: false });
    expect(retried.uid > uid).toBe(true);
    const task = await finished(client, id);
    expect(task).toMatchObject({ state: 'failed', uid: retried.uid, retryOf: uid, attempts: 1 });
    expect((await client.get(id, { include: ['payload'] })).payload).toEqual(payload);
  });

  test('of one generation is one retry, however often it is asked for', async () => {
    const { id, uid } = await client.submit({ type: 'unruly', payload: { do: 'fatal' } });
    await finished(client, id);
    const [one, two] = await Promise.all([client.retry(id, { uid }), client.retry(id, { uid })]);
    expect(one?.uid).toBe(two?.uid);
    expect([one, two].filter((r) => r?.deduplicated)).toHaveLength(1);
  });

  test('is refused for a task that has succeeded', async () => {
    const { id } = await client.submit({ type: 'unruly', payload: { do: 'ok' } });
    await finished(client, id);
    await expect(client.retry(id)).rejects.toMatchObject({ status: 409, code: 'state_conflict' });
  });
});

test('low attempts make room for a high one through the kit, free of charge, and go on from their checkpoint', async () => {
  // Five at once is all that a tenant has of this type, and none of theirs is ever ready.
  const crowd = await clientOf(fresh('crowd'), ['submit', 'read', 'operate']);
  const names = Array.from({ length: 5 }, () => fresh('never'));
  const low = await Promise.all(names.map((name) => crowd.submit({ type: 'slow-report', priority: 'low', payload: { name } })));
  await eventually('all of them to wait for their reports', async () =>
    names.every((name) => reports.calls(name).includes('GET')) ? true : undefined,
  );
  const { id } = await crowd.submit({ type: 'slow-report', priority: 'high', payload: { name: fresh('ready') } });
  expect(await finished(crowd, id)).toMatchObject({ state: 'succeeded', attempts: 1 });

  const made = await eventually('the one that made room to run again', async () => {
    const tasks = await Promise.all(low.map((task) => crowd.get(task.id)));
    return tasks.find(({ preempted, state }) => preempted === 1 && state === 'running');
  });
  expect(made).toMatchObject({ attempts: 0, throttled: 0, lost: 0 });
  expect(made.timeline.attempts.map(({ outcome }) => outcome)).toEqual(['preempted', 'running']);
  const name = names[low.findIndex((task) => task.id === made.id)] ?? '';
  const before = reports.calls(name).length;
  await eventually('it to look at its report again', async () => (reports.calls(name).length > before ? true : undefined));
  expect(reports.calls(name).filter((method) => method !== 'GET')).toEqual(['PUT']);
  await Promise.all(low.map((task) => crowd.cancel(task.id)));
  for (const task of low) expect(await finished(crowd, task.id)).toMatchObject({ state: 'cancelled' });
});
