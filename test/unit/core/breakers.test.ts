import { breakerKey, type Breaker } from '@sluice/contracts';
import { describe, expect, it } from 'vitest';
import { cancelTask } from '../../../core/api/cancel-task.ts';
import { isTerminal } from '../../../core/tasks/state.ts';
import { watchHints } from '../../helpers/has-hint.ts';
import { createWorld, typeSpec, type WorldConfig } from '../../helpers/world.ts';

const KEY = breakerKey('echo');
const RETRY = { maxAttempts: 5, minDelaySeconds: 1, maxDelaySeconds: 4, factor: 2 };
const MINUTE = 60_000;

function exit(): never {
  throw Object.assign(new Error('RequestId: 7 Error: Runtime exited with error: exit status 1'), {
    name: 'Runtime.ExitError',
    stack: undefined,
  });
}

/** A type whose attempts crash while it is broken, or whose task is poison. */
function crashing(config: WorldConfig = {}, over: Partial<ReturnType<typeof typeSpec>> = {}) {
  const state = { broken: true };
  const starts: { at: number; task: string; canary: boolean; attempt: number }[] = [];
  let now = 0;
  let most = 0;
  const world = createWorld({
    types: [typeSpec('echo', { retry: RETRY, ...over })],
    handlers: {
      echo: ({ payload, sluice: { task, canary, attempt } }) => {
        starts.push({ at: world.clock.now(), task, canary: canary !== undefined, attempt });
        if (canary) most = Math.max(most, ++now);
        if (canary) now -= 1;
        if (state.broken || payload === 'poison') exit();
        return null;
      },
    },
    ...config,
  });
  const submit = (tenant: string, n: number, fields: object = {}) =>
    world.submit(tenant, ...Array.from({ length: n }, (_, i) => ({ type: 'echo', id: `${tenant}-${i}`, ...fields })));
  const breaker = (): Promise<Breaker | undefined> => world.breakersOf.read(KEY);
  return { world, state, starts, submit, breaker };
}

const rowsOf = (world: ReturnType<typeof createWorld>) => world.tasks.rows();

describe.each(['event', 'wait'] as const)('by the starter %s', (start) => {
  it('a task that crashes its handler is quarantined after three, told, and nothing else is held up', async () => {
    const { world, state, submit, breaker } = crashing({}, { start });
    state.broken = false;
    await submit('a', 20);
    await world.submit('a', { type: 'echo', id: 'poison', payload: 'poison' });
    await world.run();
    expect(await world.row('a', 'poison')).toMatchObject({ state: 'failed', reason: 'quarantined', attempts: 3, crashes: 3 });
    expect(world.events.events()).toMatchObject([{ id: 'poison', state: 'failed', reason: 'quarantined' }]);
    expect(rowsOf(world).filter((row) => row.state === 'succeeded')).toHaveLength(20);
    expect((await breaker())?.state).toBe('closed');
    expect(world.telemetry.total('attempt.crashed', 'echo')).toBe(3);
  });

  it('a single task of a quiet type that crashes is quarantined too, or has used up its attempts', async () => {
    const { world } = crashing({}, { start });
    await world.submit(
      'a',
      { type: 'echo', id: 'few', retry: { maxAttempts: 2 } },
      { type: 'echo', id: 'many', retry: { maxAttempts: 50 } },
    );
    await world.run();
    expect(await world.row('a', 'few')).toMatchObject({ reason: 'attempts_exhausted', attempts: 2 });
    expect(await world.row('a', 'many')).toMatchObject({ reason: 'quarantined', attempts: 3 });
  });

  it('a type whose every attempt crashes is held; mended, all of its tasks succeed and none has lost more than before', async () => {
    const { world, state, starts, breaker } = crashing({}, { start });
    const without: string[] = [];
    const watch = watchHints(world, (at) => without.push(...watch.withoutHint().map(({ id }) => `after ${at}: ${id}`)));
    for (const tenant of ['a', 'b']) {
      const tasks = Array.from({ length: 30 }, (_, i) => ({ type: 'echo', id: `${tenant}-${i}` }));
      await world.submitBy(watch.deps, tenant, ...tasks);
    }
    await world.run(10 * MINUTE, watch.deps);
    const before = new Map(rowsOf(world).map((row) => [row.uid, row.attempts]));
    expect([...before.values()].reduce((a, b) => a + b, 0)).toBeLessThanOrEqual(2);
    expect((await breaker())?.state).toBe('open');
    expect(await world.held('a', 'echo')).toBe(0);
    const soFar = starts.length;

    state.broken = false;
    await world.run(30 * MINUTE, watch.deps);
    expect(without).toEqual([]);
    for (const row of rowsOf(world)) {
      expect(row).toMatchObject({ state: 'succeeded', lost: 0, throttled: 0 });
      expect(row.attempts).toBe((before.get(row.uid) ?? 0) + 1);
    }
    // In waves: each as many as all before it together, and one.
    const waves = starts.slice(soFar).filter(({ canary }) => canary);
    expect(waves.length).toBeGreaterThanOrEqual(31);
    expect((await breaker())?.state === 'closed' || waves.length < 63).toBe(true);
    expect(world.telemetry.total('breaker.opened', 'echo')).toBeGreaterThan(2);
  });
});

describe('while the breaker is open', () => {
  async function opened(config: WorldConfig = {}, n = 20) {
    const made = crashing(config);
    await made.submit('a', n);
    while (await made.world.pump());
    expect((await made.breaker())?.state).toBe('open');
    return made;
  }

  it('held tasks rest in their backlog: not in flight, not started', async () => {
    const { world, starts } = await opened();
    world.clock.advance(4_000);
    const before = starts.length;
    await world.submit('a', { type: 'echo', id: 'later' });
    while (await world.pump());
    expect(starts).toHaveLength(before);
    expect(world.queue.counts()).toMatchObject({ visible: 0, inFlight: 0 });
    expect(await world.deps.backlog.first({ tenant: 'a', type: 'echo' }, 100)).toContainEqual(expect.objectContaining({ id: 'later' }));
    expect(world.telemetry.total('breaker.held', 'echo')).toBe(3);
  });

  it('one probe runs at a time, after pauses that double up to five minutes', async () => {
    const { world, starts } = await opened();
    const from = starts.length;
    await world.run(60 * MINUTE);
    const probes = starts.slice(from);
    expect(probes.every(({ canary }) => canary)).toBe(true);
    const gaps = probes.slice(1).map(({ at }, i) => at - (probes[i]?.at ?? 0));
    expect(gaps.every((gap) => gap >= 10_000)).toBe(true);
    expect(gaps.slice(-3).every((gap) => gap >= 300_000 && gap <= 6 * MINUTE + 60_000)).toBe(true);
    expect(rowsOf(world).every((row) => !isTerminal(row.state))).toBe(true);
  });

  it('a task expires in its time, and can be cancelled', async () => {
    const { world } = await opened();
    const at = world.clock.now();
    const expiresAt = new Date(at + 90_000).toISOString();
    await world.submit('a', { type: 'echo', id: 'expires', expiresAt, priority: 'low' }, { type: 'echo', id: 'cancelled' });
    while (await world.pump());
    await cancelTask(world.deps, 'a', 'cancelled');
    await world.run(2 * MINUTE);
    expect(await world.row('a', 'expires')).toMatchObject({ state: 'expired' });
    expect((await world.row('a', 'expires')).endedAt).toBeLessThan(at + 120_000);
    expect(await world.row('a', 'cancelled')).toMatchObject({ state: 'cancelled' });
  });

  it('a task that waited for a permit before it opened expires as well', async () => {
    const made = crashing({}, { concurrency: 3 });
    const expiresAt = new Date(made.world.clock.now() + 120_000).toISOString();
    await made.submit('a', 20, { expiresAt });
    await made.world.run(20 * MINUTE);
    expect((await made.breaker())?.state).toBe('open');
    const states = rowsOf(made.world).map((row) => row.state);
    expect(states.filter((state) => state === 'expired').length).toBeGreaterThan(15);
  });

  it('crashes of attempts that a dispatcher starts without knowing are excused', async () => {
    const { world, submit, starts } = crashing({ breakersLateMs: 60_000 });
    await submit('a', 20);
    while (await world.pump());
    await world.submit('b', ...Array.from({ length: 10 }, () => ({ type: 'echo' })));
    const before = starts.length;
    while (await world.pump());
    expect(starts.length).toBe(before + 10);
    expect(rowsOf(world).reduce((sum, row) => sum + row.attempts, 0)).toBeLessThanOrEqual(2);
    expect(world.telemetry.total('breaker.excused', 'echo')).toBe(28);
  });

  it('a probe that is lost does not wedge it', async () => {
    let vanish = false;
    const { world, state } = await opened({ launch: (run) => (vanish ? undefined : void run()) });
    vanish = true;
    world.clock.advance(20_000);
    while (await world.pump());
    vanish = false;
    state.broken = false;
    await world.run(60 * MINUTE);
    expect(rowsOf(world).map((row) => row.state)).toEqual(rowsOf(world).map(() => 'succeeded'));
    expect(rowsOf(world).reduce((sum, row) => sum + row.lost, 0)).toBe(1);
  });

  it('one that nobody asks any more closes by itself', async () => {
    const { world, breaker } = await opened();
    for (const row of rowsOf(world)) await cancelTask(world.deps, 'a', row.id);
    await world.run(MINUTE);
    for (let minute = 0; minute < 45; minute++) {
      world.clock.advance(MINUTE);
      await world.tick();
      while (await world.pump());
    }
    expect((await breaker())?.state).toBe('closed');
    expect(world.telemetry.total('breaker.closed', 'echo')).toBe(1);
    expect(world.telemetry.total('breaker.open', 'echo')).toBeGreaterThan(20);
  });

  it('a tenant whose probe crashes lets others go first, so that its poison does not hold the type', async () => {
    const { world, state, breaker } = crashing();
    state.broken = false;
    await world.submit('bad', ...Array.from({ length: 5 }, (_, n) => ({ type: 'echo', id: `p-${n}`, payload: 'poison' })));
    while (await world.pump());
    expect((await breaker())?.state).toBe('open');
    await world.submit('good', ...Array.from({ length: 5 }, (_, n) => ({ type: 'echo', id: `g-${n}` })));
    await world.run(60 * MINUTE);
    const good = rowsOf(world).filter(({ tenant }) => tenant === 'good');
    expect(good.every((row) => row.state === 'succeeded')).toBe(true);
    const bad = rowsOf(world).filter(({ tenant }) => tenant === 'bad');
    expect(bad.map(({ reason }) => reason)).toEqual(bad.map(() => 'quarantined'));
  });

  it('attempts that began with those that crashed, and end well, close it again', async () => {
    const slow: (() => Promise<void>)[] = [];
    const { world, state, breaker } = crashing({ launch: (run) => void slow.push(run) });
    state.broken = false;
    await world.submit(
      'a',
      ...Array.from({ length: 4 }, (_, n) => ({ type: 'echo', id: `p-${n}`, payload: 'poison' })),
      ...Array.from({ length: 4 }, (_, n) => ({ type: 'echo', id: `g-${n}` })),
    );
    await world.dispatchOnce();
    for (const run of slow.splice(0, 4)) await run();
    await world.settleOnce();
    expect((await breaker())?.state).toBe('open');
    for (const run of slow.splice(0, 4)) await run();
    await world.settleOnce();
    expect((await breaker())?.state).toBe('closed');
  });

  it('a type that only ever crashes comes to an end: a day later its probes count', async () => {
    const { world } = await opened({}, 3);
    await world.run(3 * 86_400_000);
    expect(rowsOf(world).map(({ reason }) => reason)).toEqual(['quarantined', 'quarantined', 'quarantined']);
  }, 60_000);
});
