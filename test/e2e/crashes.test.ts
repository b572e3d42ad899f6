import { describe, expect, test } from 'vitest';
import { serveLocally } from './local-server.ts';
import { clientOf, eventually, finished, fresh } from './target.ts';

/** What the handler asks whether it is well. */
const health = { ok: false, calls: 0 };
const url = serveLocally((_, response) => {
  health.calls += 1;
  response.writeHead(health.ok ? 204 : 503).end();
});

describe('attempts that crash their handler', () => {
  test('quarantine their task after three, among others that are well', async () => {
    const client = await clientOf(fresh('poison'));
    const well = Array.from({ length: 6 }, (_, n) => fresh(`well-${n}`));
    const poison = fresh('poison');

    await client.submit({ type: 'unruly', id: poison, payload: { do: 'exit' }, retry: { maxAttempts: 10 } });
    await client.submitMany(well.map((id) => ({ type: 'unruly', id, payload: { do: 'ok' } })));

    const task = await finished(client, poison);
    expect(task).toMatchObject({ state: 'failed', reason: 'quarantined', attempts: 3 });
    // Lambda's own name for it is Runtime.ExitError; emulators have others.
    expect(task.error?.name).toMatch(/^Runtime\./);
    expect(task.timeline.attempts.map(({ outcome }) => outcome)).toEqual(['crashed', 'crashed', 'crashed']);
    for (const id of well) expect(await finished(client, id)).toMatchObject({ state: 'succeeded', attempts: 1 });
  });

  test('open the breaker of their type when every one does; mended, all of its tasks succeed and none has lost more', async () => {
    const tenant = fresh('outage');
    const client = await clientOf(tenant);
    const ids = Array.from({ length: 12 }, (_, n) => fresh(`held-${n}`));
    await client.submitMany(ids.map((id) => ({ type: 'fragile', id, payload: { do: 'exit-unless', url: url() } })));
    // The breaker is open once a crash was not counted: by then all of the lane's first attempts have been told.
    const before = await eventually('an attempt that is excused', async () => {
      const tasks = await Promise.all(ids.map((id) => client.get(id)));
      const excused = tasks.filter(({ attempts, timeline }) => timeline.attempts.filter((a) => a.outcome === 'crashed').length > attempts);
      return excused.length > 0 ? tasks : undefined;
    });
    // And one more probe of it has failed.
    const calls = health.calls;
    await eventually('a probe', async () => (health.calls > calls ? true : undefined));

    const operator = await clientOf(fresh('operator'), ['platform']);
    const breaker = await operator.breakers.get('fragile');
    expect(breaker.state).not.toBe('closed');
    expect(breaker.why).toMatchObject({ crashedTasks: expect.any(Number) as number, tenants: [tenant] });
    expect(breaker.why.crashedTasks).toBeGreaterThanOrEqual(3);
    expect((await operator.breakers.list()).map((each) => each.breaker)).toContain('type:fragile');
    expect((await client.lanes.get('fragile')).why.code).toMatch(/^breaker_/);

    health.ok = true;

    const tasks = await Promise.all(ids.map((id) => finished(client, id)));
    expect(tasks.map(({ state }) => state)).toEqual(ids.map(() => 'succeeded'));
    const counted = (all: readonly { attempts: number }[]) => all.reduce((sum, { attempts }) => sum + attempts, 0);
    // Two at the most were counted before it opened; each success is one.
    expect(counted(before)).toBeLessThanOrEqual(2);
    expect(counted(tasks)).toBeLessThanOrEqual(ids.length + 2);
  });
});
