import { PRIORITIES, type Priority } from '@sluice/contracts';
import { describe, expect, it } from 'vitest';
import { createWorld, typeSpec, type WorldConfig } from '../../helpers/world.ts';
import { traced } from '../../helpers/faults.ts';

/** A lane whose attempts run until they are ended, and what was started in it. */
function lane(concurrency: number, over: Partial<WorldConfig> = {}) {
  const started: string[] = [];
  const runs: (() => Promise<void>)[] = [];
  const world = createWorld({
    types: [typeSpec('echo', { concurrency, adaptive: false })],
    handlers: { echo: ({ sluice }) => void started.push(sluice.task) },
    launch: (run) => void runs.push(run),
    ...over,
  });
  let n = 0;
  const submit = (priority: Priority, count = 1) =>
    world.submit('a', ...Array.from({ length: count }, () => ({ type: 'echo', id: `${priority}-${++n}`, priority })));
  const running = async () => {
    while ((await world.dispatchOnce()) > 0);
    return world.tasks.rows().filter((row) => row.state === 'running');
  };
  /** Ends the oldest attempt. */
  const endOne = async () => {
    await runs.shift()?.();
    await world.settleOnce();
  };
  const count = async (priority: Priority) => (await running()).filter((row) => row.priority === priority).length;
  return { world, submit, running, count, endOne, started };
}

describe('a lane of one class', () => {
  it.each(PRIORITIES)('fills its limit, whichever it is (%s)', async (priority) => {
    const { submit, count } = lane(20);
    await submit(priority, 30);
    expect(await count(priority)).toBe(20);
  });
});

describe('trunk reservation', () => {
  it('leaves room for what is above, once that was seen', async () => {
    const { submit, count, endOne } = lane(20);
    await submit('high');
    expect(await count('high')).toBe(1);
    await endOne();
    await submit('low', 30);
    expect(await count('low')).toBe(18);
    await submit('normal', 3);
    expect(await count('normal')).toBe(1);
    await submit('high', 3);
    expect(await count('high')).toBe(1);
  });

  it('is over some minutes after the last that was above', async () => {
    const { world, submit, count, endOne } = lane(20);
    await submit('high');
    expect(await count('high')).toBe(1);
    await endOne();
    world.clock.advance(301_000);
    await submit('low', 30);
    expect(await count('low')).toBe(20);
  });
});

describe('a hint that comes by a queue', () => {
  it('does not overtake what waits in the backlog above it', async () => {
    const { world, submit, running, endOne, started } = lane(1);
    await submit('normal');
    await running();
    await submit('high', 2);
    await running();
    await endOne();
    await submit('low');
    // The permit is free, and the low one's hint comes before the lane's.
    for (const message of await world.queue.receive(10)) await world.queue.giveBack(message, message.body.includes('low-') ? 0 : 1);
    await world.dispatchOnce();
    expect(started).toEqual(['normal-1']);
    world.clock.advance(1_000);
    await running();
    await endOne();
    await running();
    await endOne();
    await running();
    await endOne();
    expect([started[0], ...started.slice(1, 3).sort(), started[3]]).toEqual(['normal-1', 'high-2', 'high-3', 'low-4']);
  });

  it('of high takes no permit that is the backlog’s while others wait there', async () => {
    const { world, submit, running, endOne } = lane(1);
    await submit('low', 2);
    await running();
    // The lane hint is lost: a fresh high one must not be started past the turns of the backlog again and again.
    await endOne();
    for (const message of await world.queue.receive(10)) await world.queue.remove(message.receipt);
    await submit('high');
    const { deps, calls } = traced(world.deps);
    await world.dispatchOnce(deps);
    expect(calls.map(({ at }) => at)).toContain('backlog.put');
    // It is told at once, and served first.
    expect(await running()).toMatchObject([{ priority: 'high' }]);
  });
});

describe('under a permanent overload of high', () => {
  it('normal and low get their guaranteed turns, found without reading all that is above', async () => {
    const { world, submit, running, endOne, started } = lane(1);
    await submit('high', 60);
    await running();
    await submit('normal', 9);
    await submit('low', 9);
    await running();
    const { deps, calls } = traced(world.deps);
    for (let n = 0; n < 41; n++) {
      await endOne();
      while ((await world.dispatchOnce(deps)) > 0);
    }
    const share = (priority: Priority) => started.slice(1, 41).filter((id) => id.startsWith(priority)).length;
    expect([share('high'), share('normal'), share('low')]).toEqual([34, 4, 2]);
    const reads = calls.filter(({ at }) => at === 'backlog.first').map(({ args }) => Number(args[1]));
    // One look at what has expired in the full lane.
    expect(reads.filter((read) => read > 1)).toEqual([500]);
  });

  it('what is overdue gets more, so that no task waits for longer than its bound', async () => {
    const bound = 600;
    const starvation = { normalSeconds: bound, lowSeconds: bound };
    const { world, submit, running, endOne } = lane(1, { types: [typeSpec('echo', { concurrency: 1, starvation })] });
    await submit('high', 400);
    await running();
    await submit('low', 10);
    await running();
    // A start every 4 s: 10 low ones, of which 3 in 20 starts are sure, take no longer than 300 + 320 s by the formula.
    for (let n = 0; n < 160; n++) {
      world.clock.advance(4_000);
      await endOne();
      await running();
    }
    const low = world.tasks.rows().filter((row) => row.priority === 'low');
    expect(low.every((row) => row.state === 'succeeded')).toBe(true);
    for (const row of low) expect((row.run?.claimedAt ?? Infinity) - row.at).toBeLessThanOrEqual(bound * 1_000 + 20_000);
    const high = world.tasks.rows().filter((row) => row.priority === 'high' && row.state === 'succeeded');
    expect(high.length).toBeGreaterThan(140);
  });
});
