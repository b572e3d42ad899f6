import { describe, expect, it } from 'vitest';
import { createWorld, typeSpec } from '../../helpers/world.ts';

const MINUTE = 60_000;

describe.each(['event', 'wait'] as const)('a task by the %s starter', (start) => {
  const echo = typeSpec('echo', { start });

  it('goes from submission to success, and gives its permit back', async () => {
    const world = createWorld({ types: [echo], handlers: { echo: ({ payload }) => ({ got: payload }) } });
    const [result] = await world.submit('a', { type: 'echo', id: 't1', payload: { n: 1 } });
    expect(result).toMatchObject({ ok: true, task: { id: 't1', state: 'waiting', deduplicated: false } });

    await world.run();

    expect(await world.row('a', 't1')).toMatchObject({
      state: 'succeeded',
      attempts: 1,
      result: { in: 'row', json: '{"got":{"n":1}}' },
      endedBy: start === 'event' ? 'record' : 'hint',
    });
    expect(await world.held('a', 'echo')).toBe(0);
    expect(world.events.events()).toEqual([]);
  });

  it('is tried again with backoff, then fails with its input and every attempt kept', async () => {
    let runs = 0;
    const world = createWorld({
      types: [echo],
      handlers: {
        echo: () => {
          runs += 1;
          throw new Error(`no ${runs}`);
        },
      },
    });
    await world.submit('a', { type: 'echo', id: 't1', payload: 'input' });

    await world.run();

    const row = await world.row('a', 't1');
    expect(row).toMatchObject({
      state: 'failed',
      reason: 'attempts_exhausted',
      attempts: 3,
      payload: { json: '"input"' },
      error: { message: 'no 3' },
    });
    const attempts = await world.tasks.attempts('a', 't1', row.uid);
    expect(attempts.map((a) => [a.class, a.error?.message])).toEqual([
      ['retryable', 'no 1'],
      ['retryable', 'no 2'],
      ['retryable', 'no 3'],
    ]);
    expect(world.events.events()).toMatchObject([{ state: 'failed', id: 't1', eventId: `${row.uid}:failed` }]);
    expect(await world.held('a', 'echo')).toBe(0);
  });

  it('is not charged for throttled attempts', async () => {
    let runs = 0;
    const world = createWorld({
      types: [{ ...echo, retry: { ...echo.retry, maxAttempts: 1 } }],
      handlers: {
        echo: () => {
          runs += 1;
          if (runs <= 5) throw Object.assign(new Error('slow down'), { name: 'ThrottledError' });
          return 'done';
        },
      },
    });
    await world.submit('a', { type: 'echo', id: 't1' });
    await world.run();
    expect(await world.row('a', 't1')).toMatchObject({ state: 'succeeded', attempts: 1, throttled: 5 });
  });

  it('waits in the backlog of a full lane and comes back in order of class and time', async () => {
    const order: string[] = [];
    const world = createWorld({
      types: [{ ...echo, concurrency: 1 }],
      handlers: { echo: ({ sluice }) => void order.push(sluice.task) },
    });
    await world.submit(
      'a',
      ...['low', 'normal', 'high'].flatMap((priority) => [1, 2, 3].map((n) => ({ type: 'echo', id: `${priority}-${n}`, priority }))),
    );
    await world.run();
    expect(order).toHaveLength(9);
    expect(world.telemetry.total('hint.parked')).toBeGreaterThan(0);
    expect(world.tasks.rows().every((row) => row.state === 'succeeded' && row.attempts === 1)).toBe(true);
    expect(await world.held('a', 'echo')).toBe(0);
  });

  it('is undone free of charge while its handler is gone, and goes on when it is back', async () => {
    const world = createWorld({ types: [echo], handlers: {} });
    await world.submit('a', { type: 'echo', id: 't1' });
    await world.run(10 * MINUTE);
    expect(await world.row('a', 't1')).toMatchObject({ state: 'waiting', attempts: 0, lost: 0 });
    expect(world.telemetry.total('start.missing', 'echo')).toBeGreaterThan(1);

    world.handlers['echo'] = () => 'back';
    await world.run();
    expect(await world.row('a', 't1')).toMatchObject({ state: 'succeeded', attempts: 1 });
  });

  it('fails as outcome_unknown after three lost outcomes, and keeps its id', async () => {
    const world = createWorld({
      types: [echo],
      before: () => (start === 'event' ? { kind: 'started' } : { kind: 'unknown', message: 'cut' }),
    });
    await world.submit('a', { type: 'echo', id: 't1' });
    await world.run(2 * 3_600_000);
    expect(await world.row('a', 't1')).toMatchObject({ state: 'failed', reason: 'outcome_unknown', attempts: 0, lost: 3 });
    const [again] = await world.submit('a', { type: 'echo', id: 't1' });
    expect(again).toMatchObject({ ok: true, task: { deduplicated: true, state: 'failed' } });
    expect(await world.held('a', 'echo')).toBe(0);
  });
});

describe('times', () => {
  it('starts a task within a second of its time, minutes and weeks ahead', async () => {
    const started: Record<string, number> = {};
    const world = createWorld({ handlers: { echo: ({ sluice }) => void (started[sluice.task] = world.clock.now()) } });
    const t0 = world.clock.now();
    const delays = { s3: 3, m20: 1_200, d3: 3 * 86_400, d30: 30 * 86_400 };
    await world.submit('a', ...Object.entries(delays).map(([id, delaySeconds]) => ({ type: 'echo', id, delaySeconds })));
    await world.run(40 * 86_400_000);
    for (const [id, seconds] of Object.entries(delays)) {
      expect(started[id], id).toBeGreaterThanOrEqual(t0 + seconds * 1000);
      expect(started[id], id).toBeLessThan(t0 + seconds * 1000 + 1000);
    }
  });

  it('expires a task that did not start in time, once, with an event', async () => {
    const world = createWorld({ types: [], handlers: { echo: () => 'late' } });
    await world.types.put(typeSpec('echo'));
    const expiresAt = new Date(world.clock.now() + 30_000).toISOString();
    await world.submit('a', { type: 'echo', id: 't1', expiresAt });
    await world.types.remove('echo');
    await world.pump();
    world.clock.advance(MINUTE);
    await world.types.put(typeSpec('echo'));
    await world.run();
    expect(await world.row('a', 't1')).toMatchObject({ state: 'expired', reason: 'expired', attempts: 0 });
    expect(world.events.events()).toMatchObject([{ state: 'expired', id: 't1' }]);
  });

  it('keeps the tasks of a type that is not deployed any more', async () => {
    const world = createWorld({ handlers: { echo: () => 'ok' } });
    await world.submit('a', { type: 'echo', id: 't1' });
    await world.types.remove('echo');
    await world.run(30 * MINUTE);
    expect(await world.row('a', 't1')).toMatchObject({ state: 'waiting' });
    await world.types.put(typeSpec('echo'));
    await world.run();
    expect(await world.row('a', 't1')).toMatchObject({ state: 'succeeded' });
  });
});
