import { describe, expect, it } from 'vitest';
import { faultAt, faulty, traced, type PortCall } from '../../helpers/faults.ts';
import { watchHints } from '../../helpers/has-hint.ts';
import { T0 } from '../../helpers/samples.ts';
import { createWorld, typeSpec } from '../../helpers/world.ts';

const DAY_SECONDS = 86_400;

function batch(count: number, over: (n: number) => object = () => ({})): object[] {
  return Array.from({ length: count }, (_, n) => ({ type: 'echo', id: `t${n}`, delaySeconds: DAY_SECONDS, ...over(n) }));
}

const putsIn = (calls: readonly PortCall[]) => calls.filter(({ at }) => at === 'buckets.put');

describe('a batch of tasks that are far away', () => {
  it('costs one write of a bucket for 500 of one minute, after all payloads and before all rows', async () => {
    const world = createWorld();
    const { deps, calls } = traced(world.deps);

    const results = await world.submitBy(deps, 'a', ...batch(500, () => ({ payload: 'x'.repeat(500) })));

    expect(results.every(({ ok }) => ok)).toBe(true);
    expect(putsIn(calls)).toHaveLength(1);
    const order = calls.map(({ at }) => at).filter((at) => ['values.put', 'buckets.put', 'tasks.insert'].includes(at));
    expect(order).toEqual([...Array<string>(500).fill('values.put'), 'buckets.put', ...Array<string>(500).fill('tasks.insert')]);
  });

  it('costs one more for each other minute, and what is near goes to its queue beside it', async () => {
    const world = createWorld({ handlers: { echo: () => 'ok' } });
    const { deps, calls } = traced(world.deps);

    await world.submitBy(deps, 'a', ...batch(300, (n) => ({ delaySeconds: n % 3 === 0 ? 5 : DAY_SECONDS + 60 * (n % 3) })));

    expect(putsIn(calls)).toHaveLength(2);
    expect(world.tasks.rows()).toHaveLength(300);
    await world.run(2 * DAY_SECONDS * 1000);
    expect(world.tasks.rows().every(({ state, attempts }) => state === 'succeeded' && attempts === 1)).toBe(true);
  });

  it('starts each of its tasks in its second', async () => {
    const started: number[] = [];
    const world = createWorld({
      types: [typeSpec('echo', { concurrency: 1_000 })],
      handlers: { echo: () => void started.push(world.clock.now()) },
    });

    await world.submit('a', ...batch(500, (n) => ({ delaySeconds: DAY_SECONDS + (n % 60) })));
    await world.run(2 * DAY_SECONDS * 1000);

    const due = Array.from({ length: 500 }, (_, n) => T0 + (DAY_SECONDS + (n % 60)) * 1000).sort((a, b) => a - b);
    expect(started.sort((a, b) => a - b)).toEqual(due);
  });

  it('hints a row again that was confirmed more than 30 s after the hint of the batch', async () => {
    const world = createWorld();
    const { deps, calls } = traced(world.deps);
    const slow = faulty(deps, ({ at }) => {
      if (at === 'tasks.insert') world.clock.advance(200);
      return 'none';
    });

    const results = await world.submitBy(slow, 'a', ...batch(400));

    expect(results.every(({ ok }) => ok)).toBe(true);
    // 200 ms for each of 400: those after the 150th are late.
    expect(putsIn(calls).length).toBeGreaterThan(200);
  });

  it('refuses all whose hint could not be made, and writes no row of them', async () => {
    const world = createWorld();
    const results = await world.submitBy(faultAt(world.deps, 'buckets.put', 'fail'), 'a', ...batch(120), { type: 'echo', id: 'near' });

    expect(results.slice(0, 120).every((result) => !result.ok && result.error.code === 'unavailable')).toBe(true);
    expect(results[120]).toMatchObject({ ok: true });
    expect(world.tasks.rows().map(({ id }) => id)).toEqual(['near']);
  });

  it('refuses one whose payload could not be stored, and it alone', async () => {
    const world = createWorld();
    const ports = faulty(world.deps, ({ at, args }) => (at === 'values.put' && args[1] === 't7' ? 'fail' : 'none'));

    const results = await world.submitBy(ports, 'a', ...batch(100, () => ({ payload: 'x'.repeat(500) })));

    expect(results.flatMap((result, n) => (result.ok ? [] : [n]))).toEqual([7]);
    expect(world.tasks.rows()).toHaveLength(99);
  });

  it.each(['values.put', 'buckets.put', 'tasks.insert'])('leaves no row without a hint when it dies at %s', async (at) => {
    const world = createWorld();
    const watch = watchHints(world, () => expect(watch.withoutHint()).toEqual([]));
    for (const fault of ['die', 'die-after'] as const) {
      const ports = faultAt(watch.deps, at, fault, at === 'buckets.put' ? 1 : 60);
      await world.submitBy(ports, 'a', ...batch(120, () => ({ payload: 'x'.repeat(500) }))).catch(() => undefined);
    }
    expect(watch.withoutHint()).toEqual([]);
    expect(world.tasks.rows().length > 0).toBe(at === 'tasks.insert');
  });
});
