import type { TaskRow } from '@sluice/contracts';
import { describe, expect, it } from 'vitest';
import type { FaultKind, Profile } from '../../sim/faults.ts';
import { runOnce, type RunResult } from '../../sim/run.ts';
import type { Simulation } from '../../sim/simulation.ts';
import { submit, TYPES } from '../../sim/workload.ts';
import { faultIn, forced, struck, type Want } from '../helpers/forced.ts';

interface Told extends RunResult {
  readonly rows: readonly TaskRow[];
  readonly text: string;
}

/** Some tasks of one type, with just these faults. */
async function run(
  wants: readonly Want[],
  { type = 'wide', tasks = 1, profile = {} }: { type?: string; tasks?: number; profile?: Partial<Profile> } = {},
): Promise<Told> {
  let sim: Simulation | undefined;
  const batch = Array.from({ length: tasks }, (_, n) => ({ type, id: `t${n}` }));
  const result = await runOnce({
    source: forced(...wants),
    history: true,
    profile,
    workload: (s) => {
      sim = s;
      s.kernel.after(1_000, () => submit(s, s.root.fork('test'), 'a', batch));
    },
  });
  expect(result.violations).toEqual([]);
  return { ...result, rows: sim?.services.tasks.rows() ?? [], text: result.history.join('\n') };
}

const lines = ({ history }: Told, part: string) => history.filter((line) => line.includes(part));
const secondsOf = (line: string | undefined) => Number(line?.trim().split(' ')[0]);
const succeeded = [{ state: 'succeeded' }];

describe('without any fault', () => {
  it('a task is done within a second, and nothing struck', async () => {
    const told = await run([]);
    expect(told.rows).toMatchObject(succeeded);
    expect(told.faults.size).toBe(0);
    expect((told.endedAt.get('a/t0') ?? Infinity) - Date.UTC(2026, 0, 1)).toBeLessThan(2_000);
  });
});

describe('a call', () => {
  it('that is refused is not applied', async () => {
    const told = await run([faultIn('submit', 'tasks.insert', 'refused')]);
    expect(lines(told, 'tasks.insert')).toEqual([expect.stringContaining('is not applied'), expect.not.stringContaining('refused')]);
    expect(told.rows).toMatchObject(succeeded);
  });

  it('whose answer is lost was applied: the client that asks again meets its task', async () => {
    const told = await run([faultIn('submit', 'tasks.insert', 'lost-answer')]);
    const [first, second] = lines(told, 'tasks.insert');
    expect(first).toContain('which nobody hears');
    expect(second).toContain('refused, it is');
    expect(told.tasks).toBe(1);
  });

  it('that is late is applied after its caller has given up, on the row as it is then', async () => {
    const told = await run([faultIn('dispatch', 'tasks.update', 'late'), { what: 'late', value: 3 }]);
    const claim = lines(told, 'tasks.update').find((line) => line.includes('late'));
    expect(secondsOf(claim)).toBeGreaterThan(9);
    expect(secondsOf(lines(told, 'is done, 1 stay')[0])).toBeLessThan(2);
    expect(told.rows).toMatchObject(succeeded);
  });

  it('that its client repeats is applied twice, and the second answer is told', async () => {
    const told = await run([faultIn('dispatch', 'tasks.update', 'repeated')]);
    const [first, second] = lines(told, 'tasks.update');
    expect(first).toContain('which nobody hears');
    expect(second).toMatch(/refused, it is running seq 1.*once more/);
    expect(lines(told, 'starter.start')).toHaveLength(1);
  });

  it('that is slow takes as long as it is said to', async () => {
    const told = await run([faultIn('submit', 'queue.send', 'slow'), { what: 'slowly', value: 2 }]);
    expect(secondsOf(lines(told, 'queue.send')[0])).toBeGreaterThan(16);
  });

  it('of several messages may send some', async () => {
    const told = await run([faultIn('submit', 'queue.send', 'partial'), struck('send 1')], { tasks: 15 });
    expect(lines(told, 'sends 1 of 2')).toHaveLength(1);
    expect(told.tasks).toBe(15);
  });

  it('may be the last of its invocation, before it or after', async () => {
    const before = await run([faultIn('dispatch', 'tasks.update', 'crash-before')]);
    expect(lines(before, 'tasks.update')[0]).toContain('is never made');
    expect(lines(before, 'ends in the middle')).toHaveLength(1);
    const after = await run([faultIn('dispatch', 'tasks.update', 'crash-after')]);
    expect(lines(after, 'tasks.update a/t0 seq 0 → 1 running')).toHaveLength(1);
    expect(after.rows).toMatchObject([{ state: 'succeeded', lost: 1 }]);
  });
});

describe('the table', () => {
  it('has partitions that refuse for a while, and no others', async () => {
    const told = await run(
      [
        faultIn('dispatch', 'tasks.get', 'partition-throttled'),
        faultIn('dispatch', 'tasks.update', 'partition-throttled'),
        { what: 'for', value: 1 },
      ],
      { tasks: 2 },
    );
    const refused = lines(told, 'partition-refused');
    expect(refused.length).toBeGreaterThan(0);
    for (const line of refused) expect(line).toMatch(/ (a\/)?t0 /);
    expect(Math.max(...refused.map(secondsOf))).toBeLessThan(12);
    expect(told.rows).toMatchObject([...succeeded, ...succeeded]);
  });
});

describe('a queue', () => {
  it('delivers a message late', async () => {
    const told = await run([struck('message-late'), { what: 'late by', value: 2 }]);
    expect(secondsOf(lines(told, 'dispatch')[0])).toBeGreaterThan(61);
  });

  it('delivers a message twice, though it was deleted', async () => {
    const told = await run([struck('duplicate'), { what: 'copy after', value: 3 }]);
    expect(lines(told, 'delivers a copy')).toHaveLength(1);
    expect(lines(told, 'starter.start')).toHaveLength(1);
  });

  it('shows a message again while it is worked on', async () => {
    const told = await run([struck('visibility-over'), faultIn('dispatch', 'permits.acquire', 'slow'), { what: 'slowly', value: 1 }]);
    expect(lines(told, '(receive 2)')).toHaveLength(1);
    expect(lines(told, 'starter.start')).toHaveLength(1);
  });

  it('delivers no more than may be in flight', async () => {
    const slow = { what: 'fault in dispatch: permits.acquire', value: 6 };
    const told = await run([slow], { tasks: 60, profile: { inFlightLimit: 1 } });
    expect(told.faults.get('in-flight-full')).toBeGreaterThan(0);
    expect(told.rows).toHaveLength(60);
  });

  it('gives a message up after its receives, and the minute brings it back', async () => {
    const told = await run([{ what: 'fault in dispatch: types.read', value: 7 }], { profile: { maxReceives: 1 } });
    expect(told.faults.get('dead-lettered')).toBeGreaterThan(0);
    expect(told.rows).toMatchObject(succeeded);
  });

  it('that is purged holds nothing, and the audit finds what it held', async () => {
    const told = await run(
      [
        faultIn('dispatch', 'types.read', 'crash-before'),
        ...['high', 'normal', 'low'].flatMap((p) => [0, 1, 2, 3].map((n) => ({ what: `${p}-${n}`, value: 1 }))),
      ],
      { profile: { purges: true } },
    );
    expect(lines(told, 'purges normal-').length).toBeGreaterThan(0);
    expect(told.faults.get('purged')).toBe(1);
    expect(told.rows).toMatchObject(succeeded);
    expect(lines(told, 'audit').some((line) => line.includes('queue.send'))).toBe(true);
  });
});

describe("the handlers' Lambda", () => {
  it.each<[FaultKind, Partial<TaskRow>]>([
    ['start-throttled', { throttled: 1, attempts: 1 }],
    ['handler-missing', { throttled: 0, attempts: 1 }],
    ['event-age', { throttled: 1, attempts: 1 }],
    ['event-lost', { lost: 1, attempts: 1 }],
    ['event-late', { lost: 0, attempts: 1 }],
    ['run-twice', { lost: 0, attempts: 1 }],
    ['run-crashed', { attempts: 2 }],
    ['run-timed-out', { attempts: 2 }],
    ['record-lost', { lost: 1 }],
    ['record-twice', { attempts: 1 }],
    ['record-late', { attempts: 1 }],
  ])('%s', async (kind, row) => {
    const told = await run([struck(kind)]);
    expect(told.faults.get(kind)).toBe(1);
    expect(told.rows).toMatchObject([{ state: 'succeeded', ...row }]);
  });

  it('lets a run that nobody waits for any more go on', async () => {
    const told = await run([faultIn('dispatch', 'starter.start', 'crash-after'), { what: 'takes', value: 3 }], { type: 'short' });
    expect(lines(told, 'run a/t0')).not.toEqual([]);
    expect(told.rows[0]?.state).toBe('succeeded');
  });
});

describe('time', () => {
  it("is another one by an invocation's own clock", async () => {
    const told = await run([{ what: 'skew', value: 6, nth: 2 }], { profile: { skewMs: 2_000 } });
    expect(lines(told, 'its clock -2000 ms')).toHaveLength(1);
    expect(told.faults.get('skew')).toBe(1);
  });

  it.each(['tick-missed', 'tick-late', 'tick-twice'] as const)('the minute: %s', async (kind) => {
    const told = await run([struck(kind)]);
    expect(told.faults.get(kind)).toBe(1);
    expect(told.rows).toMatchObject(succeeded);
  });

  it('of an invocation is over at its time-out', async () => {
    const told = await run(
      [{ what: 'fault in submit: queue.send', value: 6, nth: 1 }, { what: 'slowly', value: 3 }, struck('slow answer')],
      { profile: { patient: true } },
    );
    expect(told.rows).toMatchObject(succeeded);
    const strict = await run([
      faultIn('submit', 'queue.send', 'slow'),
      faultIn('submit', 'tasks.insert', 'slow'),
      { what: 'slowly', value: 2 },
    ]);
    expect(strict.faults.get('timed-out')).toBe(1);
    expect(strict.rows).toMatchObject(succeeded);
  });
});

describe('a deployment', () => {
  it('cuts off what runs and takes all memory', async () => {
    const slow = { what: 'fault in dispatch: permits.acquire', value: 6, nth: 1 };
    const profile = { redeploys: true, patient: true };
    const told = await run([slow, { what: 'slowly', value: 3 }], { profile });
    expect(told.faults.get('redeploy')).toBe(1);
    expect(lines(told, 'ends in the middle').filter((line) => line.includes('redeploy'))).toHaveLength(1);
    expect(lines(told, 'types.read').filter((line) => line.includes('dispatch'))).toHaveLength(2);
    expect(told.rows).toMatchObject(succeeded);
  });

  it('may change a type, and take one away for a while', async () => {
    const gone = await run([{ what: 'change', value: 5 }], { profile: { redeploys: true } });
    expect(gone.faults.get('type-gone')).toBe(TYPES.length);
    const changed = await run([{ what: 'change', value: 1 }], { profile: { redeploys: true } });
    for (const start of ['event', 'wait', 'auto']) {
      expect(lines(changed, `concurrency 1, ${start}`)).toHaveLength(TYPES.filter((spec) => spec.start === start).length);
    }
  });
});
