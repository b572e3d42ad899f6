import type { Start } from '@sluice/contracts';
import { describe, expect, it } from 'vitest';
import { divideCapacities } from '../../../core/control/divide-capacities.ts';
import { entryOfType } from '../../../core/permits/entry.ts';
import { createWorld, typeSpec } from '../../helpers/world.ts';

const POOL = entryOfType('mail');

interface Given {
  readonly aSecond?: number;
  readonly lanes?: number;
  readonly control?: boolean;
  readonly start?: Start;
}

/** Small lanes on a pool of so many attempts, whose handlers may start so many in a second. */
async function pool(attempts: number, { aSecond = Infinity, lanes = 60, control = true, start = 'wait' }: Given = {}) {
  const started = new Map<number, number>();
  const world = createWorld({
    types: [typeSpec('mail', { capacity: 200, concurrency: 10, start, adaptive: {} })],
    handlers: {
      mail: () => {
        const second = Math.floor(world.clock.now() / 1_000);
        const n = (started.get(second) ?? 0) + 1;
        started.set(second, n);
        if (n > down.aSecond) throw Object.assign(new Error('slow down'), { name: 'ThrottledError' });
        return 'ok';
      },
    },
  });
  const down = { aSecond };
  await world.permits.setShare(POOL, 0, { version: 1, share: attempts, cells: 1, each: 2 });
  const come = async (id: string) => {
    for (let lane = 0; lane < lanes; lane++) await world.submit(`t${lane}`, { type: 'mail', id });
  };
  const cell = () => world.permits.read(POOL, 0);
  const seconds = async (n: number) => {
    const limits: number[] = [];
    for (let round = 0; round < n; round++) {
      for (let again = 0; again < 10 && (await world.pump()); again++);
      if (control && round % 10 === 0) {
        const now = world.clock.now();
        await divideCapacities(world.deps, { now, deadline: now + 110_000, minute: true, told: [] });
      }
      limits.push((await cell()).aimd?.limit ?? attempts);
      world.clock.advance(1_000);
    }
    return limits;
  };
  const succeeded = () => world.tasks.rows().filter(({ state }) => state === 'succeeded');
  return { world, come, seconds, cell, succeeded, down };
}

describe('an entry pool', () => {
  it('lets fewer run of all lanes together when they are throttled, and more again when it goes well; no task loses an attempt', async () => {
    const { come, seconds, cell, succeeded, down } = await pool(40, { aSecond: 4 });
    expect((await cell()).aimd).toBeUndefined();
    await come('1');
    await come('2');
    const limits = await seconds(200);
    expect(Math.min(...limits)).toBeLessThanOrEqual(8);
    expect(succeeded()).toHaveLength(120);
    expect(succeeded().map(({ attempts }) => attempts)).toEqual(succeeded().map(() => 1));
    const low = (await cell()).aimd?.limit ?? 40;
    down.aSecond = Infinity;
    for (const id of ['3', '4', '5', '6', '7', '8']) await come(id);
    await seconds(120);
    expect(succeeded()).toHaveLength(480);
    expect((await cell()).aimd?.limit).toBeGreaterThan(low);
    expect((await cell()).permits).toEqual([]);
  });

  it('goes on after a pause without being told by control', async () => {
    const { world, come, seconds, cell, succeeded, down } = await pool(1, { aSecond: 0, lanes: 3, control: false });
    await come('1');
    await seconds(3);
    expect((await cell()).aimd).toMatchObject({ limit: 1 });
    expect((await cell()).aimd?.pause).toBeGreaterThan(0);
    down.aSecond = Infinity;
    // Before the minute's tick, which tells every lane that waits.
    const tick = Math.floor(world.clock.now() / 60_000);
    for (let n = 0; n < 50 && succeeded().length < 3; n++) await seconds(1);
    expect(Math.floor(world.clock.now() / 60_000)).toBe(tick);
    expect(succeeded()).toHaveLength(3);
  });

  it('goes on with the backlog of a lane whose attempt has ended, as a lane with a share does', async () => {
    const { world, seconds, succeeded } = await pool(20, { start: 'event' });
    await world.submit('big', ...Array.from({ length: 200 }, () => ({ type: 'mail' })));
    await seconds(50);
    expect(succeeded()).toHaveLength(200);
    expect(await world.held('big', 'mail')).toBe(0);
  });

  it('writes nothing more while nothing is throttled', async () => {
    const { come, seconds, cell, succeeded } = await pool(40);
    await come('1');
    await seconds(10);
    expect(succeeded()).toHaveLength(60);
    expect((await cell()).aimd).toBeUndefined();
    expect((await cell()).good).toBe(60);
  });
});
