import { describe, expect, it } from 'vitest';
import { EventQueue } from '../../sim/scenarios/engine/event-queue.ts';
import { jain } from '../../sim/scenarios/engine/metrics.ts';
import { TaskList, Tasks } from '../../sim/scenarios/engine/tasks.ts';
import { chanceFrom, zipf } from '../../sim/scenarios/engine/chance.ts';
import { isMet } from '../../sim/scenarios/report/result.ts';
import { plot } from '../../sim/scenarios/report/plot.ts';
import { page } from '../../sim/scenarios/report/write.ts';
import { poisonTenant } from '../../sim/scenarios/set/poison-tenant.ts';
import { priorityInversion } from '../../sim/scenarios/set/priority-inversion.ts';
import { bulk } from '../../sim/scenarios/set/bulk.ts';
import { downstreamDown } from '../../sim/scenarios/set/downstream-down.ts';

const QUICK = { seed: 1, quick: true };
/** ms, of a busy machine. */
const LONG = 120_000;

describe('the engine', () => {
  it('takes events by time, and those of one time in the order in which they were asked for', () => {
    const events = new EventQueue(2);
    const chance = chanceFrom(1, 'times');
    const times = Array.from({ length: 2_000 }, () => chance.below(300));
    times.forEach((at, n) => events.push(at, 0, n));
    const taken: number[] = [];
    while (events.pop(Infinity)) taken.push(events.subject);
    const sorted = times.map((at, n) => [at, n] as const).sort(([a, x], [b, y]) => a - b || x - y);
    expect(taken).toEqual(sorted.map(([, n]) => n));
  });

  it('uses the place of a task that has ended again, and keeps lists in order', () => {
    const tasks = new Tasks(2);
    const list = new TaskList(tasks);
    const all = Array.from({ length: 5 }, (_, n) => tasks.add(n, n, 1, 1));
    for (const task of all) list.push(task);
    expect([list.shift(), list.shift()]).toEqual([all[0], all[1]]);
    tasks.remove(all[0]!);
    expect(tasks.add(9, 9, 1, 1)).toBe(all[0]);
    list.unshift(all[1]!);
    expect([list.shift(), list.shift(), list.size, tasks.mostLive]).toEqual([all[1], all[2], 2, 5]);
  });

  it("draws tenants by Zipf's law", () => {
    const { draw, share } = zipf(100, 1);
    const chance = chanceFrom(1, 'tenants');
    const counts = new Float64Array(100);
    for (let n = 0; n < 100_000; n++) counts[draw(chance)]! += 1;
    for (const n of [0, 1, 10, 99]) expect(counts[n]! / 100_000).toBeCloseTo(share(n), 2);
  });

  it('measures fairness from 1, all alike, to 1/n, all for one', () => {
    expect(jain([3, 3, 3])).toBeCloseTo(1);
    expect(jain([1, 0, 0, 0])).toBeCloseTo(0.25);
  });
});

describe('a small scenario', () => {
  it.each([poisonTenant, priorityInversion, bulk, downstreamDown])(
    '$name runs, and ours meets the goals on sharing',
    ({ run }) => {
      const result = run(QUICK);
      const sharing = result.goals.filter(({ what }) => !what.includes('SQS'));
      expect(sharing.length).toBeGreaterThan(0);
      expect(sharing.filter((goal) => !isMet(goal))).toEqual([]);
    },
    LONG,
  );

  it(
    'is the same byte for byte from the same seed, and another from another',
    async () => {
      const [first, again, other] = [run(1), run(1), run(2)];
      expect(page(again)).toBe(page(first));
      expect(await plot(again)).toBe(await plot(first));
      expect(page(other)).not.toBe(page(first));
    },
    LONG,
  );
});

function run(seed: number) {
  return priorityInversion.run({ seed, quick: true });
}
