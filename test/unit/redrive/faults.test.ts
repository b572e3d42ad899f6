import { describe, expect, it } from 'vitest';
import { createRedrive, getRedrive } from '../../../core/redrive/operate.ts';
import { redriveTasks } from '../../../core/redrive/redrive-tasks.ts';
import { runSlice } from '../../../core/redrive/run-slice.ts';
import type { Fault } from '../../helpers/faults.ts';
import { before, faulty, traced } from '../../helpers/faults.ts';
import { createRedriveWorld, idsUpTo } from '../../helpers/redrive-world.ts';
import { typeSpec } from '../../helpers/world.ts';

const CANARY = { tasks: 4, maxFailureShare: 0.5, waitSeconds: 60 };
const COUNT = 12;

/** A redrive with a first wave, in which the n-th call of all of its slices goes wrong. @returns whether there was such a call */
async function withFault(nth: number, fault: Fault): Promise<boolean> {
  let seen = 0;
  const world = createRedriveWorld({ slices: (deps) => faulty(deps, () => (++seen === nth ? fault : 'none')) });
  await world.fail('a', idsUpTo(COUNT));
  world.mend();
  const { id } = await createRedrive(world.deps, 'a', { filter: {}, canary: CANARY });
  await world.run();
  const what = `call ${nth} ${fault}`;
  const redrive = await getRedrive(world.deps, 'a', id);
  expect(redrive, what).toMatchObject({ state: 'done', matched: COUNT, redriven: COUNT, skipped: 0, failed: {} });
  for (const task of idsUpTo(COUNT)) {
    expect({ what, task, generations: world.generationsOf('a', task) }).toEqual({ what, task, generations: 2 });
    expect(await world.row('a', task), what).toMatchObject({ state: 'succeeded', redrive: id });
  }
  return seen >= nth;
}

describe('a redrive whose slices go wrong', () => {
  it.each<Fault>(['fail', 'ambiguous', 'die', 'die-after'])(
    'at each of their calls in turn (%s) loses nothing and repeats nothing',
    async (fault) => {
      let nth = 1;
      while (await withFault(nth, fault)) nth += 1;
      expect(nth).toBeGreaterThan(50);
    },
  );
});

describe('two at once', () => {
  it('over the same filter redrive each task once', async () => {
    const world = createRedriveWorld();
    await world.fail('a', idsUpTo(150));
    world.mend();
    const redrives = await Promise.all([1, 2].map(() => createRedrive(world.deps, 'a', { filter: {} })));
    await world.run();
    const ended = await Promise.all(redrives.map(({ id }) => getRedrive(world.deps, 'a', id)));
    expect(ended.map(({ state }) => state)).toEqual(['done', 'done']);
    expect(ended.reduce((sum, { redriven }) => sum + redriven, 0)).toBe(150);
    expect(idsUpTo(150).every((id) => world.generationsOf('a', id) === 2)).toBe(true);
  });

  it('runs of one slice redrive each task once, and the one that lost gives way', async () => {
    const world = createRedriveWorld();
    await world.fail('a', idsUpTo(30));
    world.mend();
    const { id } = await createRedrive(world.deps, 'a', { filter: {}, ratePerSecond: 5 });
    const attempt = { tenant: 'a', id: 's', uid: 'u', fence: 1, attempt: 1, throttled: 0, deadline: world.clock.now() + 60_000 };
    const slice = { v: 1, redrive: id, slice: 1 };
    const ends = await Promise.allSettled([1, 2].map(() => runSlice(world.deps, slice, attempt)));
    expect(ends.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(ends.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { as: 'throttled' } });
    await world.run();
    expect(await getRedrive(world.deps, 'a', id)).toMatchObject({ state: 'done', redriven: 30 });
    expect(idsUpTo(30).every((each) => world.generationsOf('a', each) === 2)).toBe(true);
  });

  it.each(['waits', 'has failed again'] as const)(
    'what the run beside it has redriven and %s is counted, and not redriven again',
    async (how) => {
      let redrive = '';
      // Lambda has begun the slice twice: this run took the redrive over, but the page that both have read is redriven by the other.
      const besides = async () => {
        const { page = [] } = (await world.redrives.get('a', redrive)) ?? {};
        expect(await redriveTasks(world.deps, 'a', redrive, page)).toEqual(idsUpTo(3).map(() => ({ did: 'redriven' })));
        while (how === 'has failed again' && (await world.dispatchOnce()) > 0);
      };
      const world = createRedriveWorld({
        types: [typeSpec('echo', { start: 'wait' })],
        slices: (deps) => before(deps, 'tasks.replace', besides),
      });
      await world.fail('a', idsUpTo(3));
      const { id } = await createRedrive(world.deps, 'a', { filter: {}, canary: CANARY });
      redrive = id;
      await world.dispatchOnce();
      await world.starter.idle();
      const stored = await world.redrives.get('a', id);
      // The first wave is all of them, and is judged.
      const wave = how === 'waits' ? { failed: 0, unfinished: 3 } : { failed: 3, unfinished: 0 };
      const state = how === 'waits' ? 'canary' : 'stopped';
      expect(stored).toMatchObject({ state, redriven: 3, skipped: 0, page: [], waveResult: { redriven: 3, succeeded: 0, ...wave } });
      for (const task of idsUpTo(3)) {
        expect(await world.row('a', task)).toMatchObject({ state: how === 'waits' ? 'waiting' : 'failed', redrive: id });
        expect(world.generationsOf('a', task)).toBe(2);
      }
    },
  );

  it('an index that still names what was redriven does no harm', async () => {
    const world = createRedriveWorld();
    await world.fail('a', idsUpTo(20));
    world.mend();
    const { days, newest } = world.deadTasks;
    const stale = await Promise.all(
      (await days('a', 0, world.clock.now())).map((day) => newest('a', day, { after: '', before: '~' }, 100)),
    );
    const late = {
      ...world.deadTasks,
      days: async () => [{ day: 0, types: ['echo'] }],
      newest: async () => stale[0] ?? { tasks: [], exhausted: true },
    };
    const redriveLate = async () => {
      const { id } = await createRedrive(world.deps, 'a', { filter: {} });
      const attempt = { tenant: 'a', id: 's', uid: 'u', fence: 1, attempt: 1, throttled: 0, deadline: world.clock.now() + 60_000 };
      await runSlice({ ...world.deps, deadTasks: late }, { v: 1, redrive: id, slice: 1 }, attempt);
      return getRedrive(world.deps, 'a', id);
    };
    expect(await redriveLate()).toMatchObject({ state: 'done', redriven: 20 });
    await world.run();
    expect(await redriveLate()).toMatchObject({ state: 'done', scanned: 20, matched: 0, redriven: 0 });
    expect(idsUpTo(20).every((id) => world.generationsOf('a', id) === 2)).toBe(true);
  });
});

it('a page of a redrive needs few calls', async () => {
  let calls: readonly { readonly at: string }[] = [];
  const world = createRedriveWorld({
    slices: (deps) => {
      const trace = traced(deps);
      calls = trace.calls;
      return trace.deps;
    },
  });
  await world.fail('a', idsUpTo(40));
  world.mend();
  await createRedrive(world.deps, 'a', { filter: {} });
  await world.run();
  const count = (at: string) => calls.filter((call) => call.at === at).length;
  expect(count('tasks.archive')).toBe(40);
  expect(count('tasks.replace')).toBe(40);
  // The hints, the events and the rows of all of them together.
  expect({ sends: count('queue.send'), events: count('events.publish'), reads: count('tasks.get') }).toEqual({
    sends: 1,
    events: 1,
    reads: 0,
  });
});
