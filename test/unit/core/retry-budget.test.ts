import { describe, expect, it } from 'vitest';
import { cancelTask } from '../../../core/api/cancel-task.ts';
import { audit } from '../../../core/audit/audit.ts';
import { isTerminal } from '../../../core/tasks/state.ts';
import { watchHints } from '../../helpers/has-hint.ts';
import { traced } from '../../helpers/faults.ts';
import { createWorld, typeSpec } from '../../helpers/world.ts';

const LANE = { tenant: 'a', type: 'echo' };
const RETRY = { maxAttempts: 3, minDelaySeconds: 1, maxDelaySeconds: 2, factor: 2 };

/** A lane whose every first attempt fails, or is throttled, with room for all and little budget. */
function failing(perMinute: number, name = 'Error', over: Partial<ReturnType<typeof typeSpec>> = {}) {
  const starts: { at: number; attempt: number; throttled: number; task: string }[] = [];
  const world = createWorld({
    types: [typeSpec('echo', { concurrency: 50, retry: RETRY, retryBudget: { percent: 20, perMinute }, ...over })],
    handlers: {
      echo: ({ payload, sluice: { attempt, throttled = 0, task } }) => {
        starts.push({ at: world.clock.now(), attempt, throttled, task });
        if (payload === 'fails' && attempt + throttled === 1) throw Object.assign(new Error('no'), { name });
        return null;
      },
    },
  });
  const submit = (n: number, payload: string, from = 0, ports = world.deps) =>
    world.submitBy(ports, 'a', ...Array.from({ length: n }, (_, i) => ({ type: 'echo', id: `${payload}-${from + i}`, payload })));
  return { world, starts, submit };
}

describe('retries beyond the budget of their lane', () => {
  it.each(['event', 'wait'] as const)('wait until there is some, and all end, by the starter %s', async (start) => {
    const { world, starts, submit } = failing(4, 'Error', { start });
    const without: string[] = [];
    const watch = watchHints(world, (at) => without.push(...watch.withoutHint().map(({ id }) => `after ${at}: ${id}`)));
    await submit(40, 'fails', 0, watch.deps);
    await world.run(3_600_000, watch.deps);
    const rows = world.tasks.rows();
    expect(rows.map(({ state, attempts }) => [state, attempts])).toEqual(rows.map(() => ['succeeded', 2]));
    const retries = starts.filter(({ attempt }) => attempt === 2);
    for (const { at } of retries) {
      expect(retries.filter((other) => other.at > at - 60_000 && other.at <= at).length).toBeLessThanOrEqual(4);
    }
    expect(world.telemetry.total('retry.held')).toBeGreaterThan(20);
    expect(without).toEqual([]);
    expect(await world.held('a', 'echo')).toBe(0);
  });

  it('are not in flight, not hinted again and again, and cost no attempt', async () => {
    const { world, submit } = failing(1);
    await submit(20, 'fails');
    while (await world.pump());
    world.clock.advance(3_000);
    while (await world.pump());
    const waiting = world.tasks.rows().filter(({ state }) => !isTerminal(state));
    expect(waiting).toHaveLength(19);
    expect(waiting.every(({ attempts, again }) => attempts === 1 && again === 'retry')).toBe(true);
    // What is left in the queues is for the ends of leases.
    expect(world.queue.counts()).toMatchObject({ visible: 0, inFlight: 0 });
    expect(world.queue.bodies().every((body) => body.includes('"look":true'))).toBe(true);
    expect(await world.deps.backlog.first(LANE, 100)).toEqual([]);
    expect(await world.deps.backlog.first(LANE, 100, 'budget')).toHaveLength(19);
    // What rests there is no task that nobody has looked at.
    world.clock.advance(2 * 86_400_000);
    expect(await audit(world.deps, { deadline: Infinity, paceMs: 0 })).toMatchObject({ found: 0 });
  });

  it('do not hold up first attempts, which earn them more', async () => {
    const { world, starts, submit } = failing(1);
    await submit(10, 'fails');
    while (await world.pump());
    world.clock.advance(3_000);
    while (await world.pump());
    expect(starts.filter(({ attempt }) => attempt === 2)).toHaveLength(1);
    await submit(30, 'fine');
    while (await world.pump());
    expect(world.tasks.rows().filter(({ id, state }) => id.startsWith('fine') && state === 'succeeded')).toHaveLength(30);
    expect(starts.filter(({ attempt }) => attempt === 2)).toHaveLength(6);
  });

  it('of the higher class go first', async () => {
    const { world, starts, submit } = failing(1);
    await submit(9, 'fails');
    await world.submit('a', { type: 'echo', id: 'urgent', payload: 'fails', priority: 'high', retry: { minDelaySeconds: 2 } });
    while (await world.pump());
    world.clock.advance(8_000);
    while (await world.pump());
    world.clock.advance(120_000);
    await world.tick();
    while (await world.pump());
    expect(
      starts
        .filter(({ attempt }) => attempt === 2)
        .slice(0, 3)
        .map(({ task }) => task),
    ).toContain('urgent');
  });

  it('can be cancelled', async () => {
    const { world, submit } = failing(1);
    await submit(10, 'fails');
    while (await world.pump());
    world.clock.advance(3_000);
    while (await world.pump());
    const waiting = world.tasks.rows().filter(({ state }) => !isTerminal(state));
    expect(waiting.length).toBeGreaterThan(5);
    for (const { id } of waiting) await cancelTask(world.deps, 'a', id);
    await world.run();
    expect(world.tasks.rows().filter(({ state }) => state === 'cancelled')).toHaveLength(waiting.length);
    world.clock.advance(600_000);
    await world.tick();
    while (await world.pump());
    expect(await world.deps.backlog.first(LANE, 100, 'budget')).toEqual([]);
  });
});

describe('throttled attempts', () => {
  it('never consume an attempt, nor budget', async () => {
    const { world, submit } = failing(1, 'ThrottledError');
    await submit(30, 'fails');
    await world.run(120_000);
    expect(world.tasks.rows().map(({ state, attempts, throttled }) => [state, attempts, throttled])).toEqual(
      world.tasks.rows().map(() => ['succeeded', 1, 1]),
    );
    const { budget } = await world.deps.permits.read(LANE, 0);
    expect(budget).toMatchObject({ firsts: 30, retries: 0 });
    expect(world.telemetry.total('retry.held')).toBe(0);
  });
});

it('a lane without failures makes not one call more for its budget', async () => {
  const { world, submit } = failing(1);
  const { deps, calls } = traced(world.deps);
  await submit(7, 'fine');
  while (await world.dispatchOnce(deps));
  await world.starter.idle();
  await world.settleOnce(deps);
  const ofCell = calls.filter(({ at }) => at.startsWith('permits.')).map(({ at }) => at);
  expect(ofCell.toSorted()).toEqual(['permits.acquire', 'permits.release']);
  expect(calls.filter(({ at }) => at.startsWith('breakers.') && at !== 'breakers.known')).toEqual([]);
});
