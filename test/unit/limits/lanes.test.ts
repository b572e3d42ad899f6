import { describe, expect, it } from 'vitest';
import { createWorld, typeSpec, type World } from '../../helpers/world.ts';

const LANE = { tenant: 'a', type: 'echo' };
const tasks = (n: number) => Array.from({ length: n }, () => ({ type: 'echo' }));
const errors = { errorType: 'ThrottledError', errorMessage: 'slow down' };
const states = (world: World) => new Set(world.tasks.rows().map(({ state }) => state));
const limitOf = (world: World) => world.deps.permits.read(LANE, 0).then(({ aimd }) => aimd?.limit);

async function submitMany(world: World, n: number): Promise<void> {
  for (let left = n; left > 0; left -= 500) await world.submit('a', ...tasks(Math.min(500, left)));
}

describe('a lane that finds its limit', () => {
  it('begins with ten attempts at once and goes on to its concurrency, over more and more cells', async () => {
    let live = 0;
    let most = 0;
    const ends: (() => void)[] = [];
    const world = createWorld({
      types: [typeSpec('echo', { concurrency: 100 })],
      handlers: { echo: () => 'ok' },
      launch: (run) => {
        live += 1;
        most = Math.max(most, live);
        ends.push(() => {
          live -= 1;
          void run();
        });
      },
    });
    await submitMany(world, 600);
    const heights: number[] = [];
    for (let round = 0; round < 40 && world.tasks.rows().some(({ state }) => state !== 'succeeded'); round++) {
      while ((await world.dispatchOnce()) > 0);
      heights.push(live);
      for (const end of ends.splice(0)) end();
      await world.starter.idle();
      while ((await world.settleOnce()) > 0);
      world.clock.advance(1_000);
    }
    expect(states(world)).toEqual(new Set(['succeeded']));
    expect(heights.slice(0, 3)).toEqual([10, 20, 34]);
    expect(most).toBe(100);
    expect((await world.deps.permits.read(LANE, 0)).cells).toBe(3);
    expect(await world.held('a', 'echo')).toBe(0);
  });

  it('goes down when its handler says that it is throttled, and no task loses an attempt', async () => {
    let now = 0;
    let started = new Map<number, number>();
    const world = createWorld({
      types: [typeSpec('echo', { concurrency: 40, start: 'wait', adaptive: { start: 40 } })],
      handlers: {
        echo: () => {
          const second = Math.floor(now / 1_000);
          const n = (started.get(second) ?? 0) + 1;
          started.set(second, n);
          // Four a second are what it can take.
          if (n > 4) throw Object.assign(new Error(errors.errorMessage), { name: errors.errorType });
          return 'ok';
        },
      },
    });
    await submitMany(world, 60);
    const limits: (number | undefined)[] = [];
    for (let round = 0; round < 300 && world.tasks.rows().some(({ state }) => state !== 'succeeded'); round++) {
      now = world.clock.now();
      await world.pump();
      limits.push(await limitOf(world));
      world.clock.advance(1_000);
    }
    expect(states(world)).toEqual(new Set(['succeeded']));
    expect(Math.min(...limits.map((limit) => limit ?? 40))).toBeLessThanOrEqual(8);
    expect(world.tasks.rows().map(({ attempts }) => attempts)).toEqual(world.tasks.rows().map(() => 1));
    started = new Map();
  });

  it.each([
    ['refused by Lambda', 'wait', { before: () => ({ kind: 'refused', why: 'throttled', message: 'slow down' }) as const }],
    [
      'reported by its handler',
      'event',
      { handlers: { echo: () => Promise.reject(Object.assign(new Error('429'), { name: 'ThrottledError' })) } },
    ],
  ] as const)('takes an attempt that was %s for a signal', async (_, start, config) => {
    const world = createWorld({ types: [typeSpec('echo', { concurrency: 8, start })], handlers: { echo: () => 'ok' }, ...config });
    await world.submit('a', ...tasks(8));
    await world.dispatchOnce();
    await world.starter.idle();
    await world.settleOnce();
    expect(await limitOf(world)).toBeLessThan(8);
    expect(world.tasks.rows().map(({ attempts, throttled }) => [attempts, throttled])).toEqual(Array.from({ length: 8 }, () => [0, 1]));
  });

  it('asks less and less often for what is down, and goes on when it is back', async () => {
    let starts: number[] = [];
    let down = true;
    const world: World = createWorld({
      types: [typeSpec('echo', { concurrency: 20, start: 'wait' })],
      before: () => {
        starts.push(world.clock.now());
        return down ? { kind: 'refused', why: 'throttled', message: 'slow down' } : undefined;
      },
      handlers: { echo: () => 'ok' },
    });
    await world.submit('a', ...tasks(100));
    await world.run(600_000);
    const late = starts.filter((at) => at > (starts[0] ?? 0) + 120_000);
    expect(late.length).toBeGreaterThanOrEqual(10);
    expect(late.length).toBeLessThanOrEqual(20);
    // The clock of this world stands still while the first ones are refused.
    expect(starts.filter((at) => at > (starts[0] ?? 0)).length).toBeLessThanOrEqual(40);
    down = false;
    starts = [];
    await world.run(120_000);
    expect(states(world)).toEqual(new Set(['succeeded']));
    expect(world.tasks.rows().map(({ attempts }) => attempts)).toEqual(world.tasks.rows().map(() => 1));
  });

  it('does without where its type says so', async () => {
    const world = createWorld({
      types: [typeSpec('echo', { concurrency: 8, start: 'wait', adaptive: false })],
      before: () => ({ kind: 'refused', why: 'throttled', message: 'slow down' }),
    });
    await world.submit('a', ...tasks(8));
    await world.dispatchOnce();
    expect(await world.deps.permits.read(LANE, 0)).not.toHaveProperty('aimd');
  });
});

describe('the rates of a lane', () => {
  const rated = (rates: { limit: number; perSeconds: number }[], concurrency = 10) => {
    const starts: number[] = [];
    const world: World = createWorld({
      types: [typeSpec('echo', { concurrency, rates, start: 'wait' })],
      handlers: {
        echo: () => {
          starts.push(world.clock.now());
          return 'ok';
        },
      },
    });
    return { world, starts };
  };

  it('let the burst pass at once and the rest at their pace, without an attempt or a failure', async () => {
    const { world, starts } = rated([{ limit: 5, perSeconds: 10 }]);
    await world.submit('a', ...tasks(25));
    await world.run(600_000);
    expect(starts).toHaveLength(25);
    const first = starts[0] ?? 0;
    expect(starts.filter((at) => at === first)).toHaveLength(5);
    for (const at of starts) expect(starts.filter((other) => other >= at && other < at + 10_000).length).toBeLessThanOrEqual(10);
    // Twenty at a pace of one in two seconds, and a second at the most for what a queue's delays are rounded by.
    expect((starts.at(-1) ?? 0) - first).toBeGreaterThanOrEqual(40_000);
    expect((starts.at(-1) ?? 0) - first).toBeLessThanOrEqual(60_000);
    expect(world.tasks.rows().map(({ attempts, throttled }) => [attempts, throttled])).toEqual(Array.from({ length: 25 }, () => [1, 0]));
    expect(world.telemetry.total('rate.held')).toBeGreaterThan(0);
  });

  it('hold both at once', async () => {
    const { world, starts } = rated([
      { limit: 2, perSeconds: 1 },
      { limit: 6, perSeconds: 60 },
    ]);
    await world.submit('a', ...tasks(10));
    await world.run(600_000);
    const first = starts[0] ?? 0;
    expect(starts.filter((at) => at < first + 5_000)).toHaveLength(6);
    expect((starts.at(-1) ?? 0) - first).toBeGreaterThanOrEqual(40_000);
    expect(starts).toHaveLength(10);
  });

  it('wait for a day where they must, with one hint a quarter of an hour and not more', async () => {
    const { world, starts } = rated([{ limit: 1, perSeconds: 86_400 }]);
    await world.submit('a', ...tasks(3));
    await world.run(3 * 86_400_000);
    expect(starts).toHaveLength(3);
    expect((starts[2] ?? 0) - (starts[1] ?? 0)).toBeGreaterThanOrEqual(86_400_000);
  }, 60_000);

  it('hold for all cells of a lane together', async () => {
    const { world, starts } = rated([{ limit: 50, perSeconds: 60 }], 120);
    await world.submit('a', ...tasks(120));
    await world.run(20_000);
    expect(starts.length).toBeGreaterThanOrEqual(50);
    expect(starts.length).toBeLessThanOrEqual(50 + 17);
    await world.run(600_000);
    expect(starts).toHaveLength(120);
    expect(await world.held('a', 'echo')).toBe(0);
  });
});
