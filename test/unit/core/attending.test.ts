import { describe, expect, it } from 'vitest';
import { ATTEND_MS, LOOK_MS } from '../../../core/dispatch/attend.ts';
import { createWorld, typeSpec, type WorldDeps } from '../../helpers/world.ts';

const LANE = { tenant: 'a', type: 'echo' };

/** A lane of events with two places, both taken, and a backlog of so many. Its attempts run until they are ended. */
async function fullLane(waiting: number) {
  const runs: (() => Promise<void>)[] = [];
  const world = createWorld({
    types: [typeSpec('echo', { concurrency: 2, adaptive: false })],
    handlers: { echo: () => 'ok' },
    launch: (run) => void runs.push(run),
  });
  const ids = Array.from({ length: waiting + 2 }, (_, n) => ({ type: 'echo', id: `t${n}` }));
  await world.submit('a', ...ids);
  await world.dispatchOnce();
  const endOne = async () => {
    await runs.shift()?.();
    await world.settleOnce();
  };
  const hints = async () => (await world.queue.receive(10)).filter(({ body }) => body.includes('"kind":"lane"')).length;
  /** Drains the lane, as its hint has it done. `during` is what happens before each of the looks, in their order. */
  const drain = async (...during: (() => Promise<void>)[]) => {
    let looks = 0;
    const timer: WorldDeps['timer'] = {
      sleep: async (ms) => {
        if (ms !== LOOK_MS) return;
        world.clock.advance(ms);
        looks += 1;
        await during.shift()?.();
      },
    };
    await world.dispatchOnce({ ...world.deps, timer });
    return looks;
  };
  const running = () => world.tasks.rows().filter(({ state }) => state === 'running').length;
  return { world, endOne, hints, drain, running, waits: async () => (await world.deps.backlog.first(LANE, 100)).length };
}

describe('a drain that has started something', () => {
  it('goes on for as long as attempts end within what it attends to, and no message is sent for them', async () => {
    const { drain, endOne, hints, running, waits } = await fullLane(5);
    expect(await waits()).toBe(5);
    await endOne();
    expect(await drain(endOne, endOne, endOne)).toBeGreaterThan(3);
    expect(await waits()).toBe(1);
    expect(running()).toBe(2);
    expect(await hints()).toBe(0);
  });

  it('leaves after the last look when none has ended, and who ends one then tells the lane', async () => {
    const { drain, endOne, hints, waits } = await fullLane(3);
    await endOne();
    expect(await drain()).toBe(Math.ceil(ATTEND_MS / LOOK_MS));
    expect(await waits()).toBe(2);
    await endOne();
    expect(await hints()).toBe(1);
  });

  it('sees what ends with its last look, of which the lane is told as well: by somebody always', async () => {
    const { drain, endOne, waits, hints } = await fullLane(3);
    const nothing = async () => undefined;
    await endOne();
    await drain(nothing, nothing, nothing, nothing, endOne);
    expect(await waits()).toBe(1);
    expect(await hints()).toBe(1);
  });
});
