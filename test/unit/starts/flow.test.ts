import type { StartChoice } from '@sluice/contracts';
import { describe, expect, it } from 'vitest';
import { leaseMs } from '../../../core/dispatch/work.ts';
import { chooseStarts } from '../../../core/starts/control-step.ts';
import { before, traced } from '../../helpers/faults.ts';
import { createWorld, typeSpec, type WorldDeps } from '../../helpers/world.ts';

const auto = typeSpec('echo', { start: 'auto', timeoutSeconds: 10, concurrency: 1 });

/** A world in which a run takes so long, and that knows how each was started. */
function timed() {
  const modes: string[] = [];
  const state = { ms: 100 };
  const world = createWorld({
    types: [auto],
    handlers: { echo: () => void world.clock.advance(state.ms) },
    before: (_spec, mode) => void modes.push(mode),
  });
  let submitted = 0;
  const runMany = async (count: number) => {
    for (let n = 0; n < count; n++) {
      await world.submit('a', { type: 'echo', id: `t${submitted++}` });
      while (await world.pump());
    }
  };
  const round = () => chooseStarts(world.deps as WorldDeps & Pick<Required<WorldDeps>, 'starts'>);
  return { world, modes, state, runMany, round };
}

describe('start: auto', () => {
  it('is event until a thousand runs were short, and event again when they are long', async () => {
    const { modes, state, runMany, round } = timed();
    await round();
    await runMany(1_000);
    await round();
    // Of the last half minute nothing has been told.
    await runMany(500);
    await round();
    expect(new Set(modes)).toEqual(new Set(['event']));
    await runMany(10);
    expect(new Set(modes.slice(-10))).toEqual(new Set(['wait']));
    state.ms = 2_000;
    await runMany(90);
    await round();
    await runMany(10);
    expect(new Set(modes.slice(-10))).toEqual(new Set(['event']));
  }, 60_000);

  it('costs a write for each environment and half a minute, and no call of a task', async () => {
    const { world, state, round } = timed();
    await round();
    state.ms = 1_000;
    const { deps, calls } = traced(world.deps);
    for (let n = 0; n < 100; n++) {
      await world.submit('a', { type: 'echo', id: `u${n}` });
      while (await world.pump(deps));
    }
    expect(calls.filter(({ at }) => at === 'starts.add').length).toBe(3);
    expect(calls.filter(({ at }) => ['starts.write', 'starts.counted', 'starts.all'].includes(at))).toEqual([]);
  });

  it.each([
    ['event', 'wait'],
    ['wait', 'event'],
  ] as const)('of a claim is fixed: what becomes %s after the permit was taken for %s makes no difference', async (after, mode) => {
    const { world, modes } = timed();
    const { starts } = world.deps;
    if (!starts) throw new Error('no starts');
    const first: StartChoice = { v: 1, type: 'echo', mode, since: world.clock.now() };
    await starts.write(first, undefined);
    await world.submit('a', { type: 'echo', id: 't' });
    const { deps, calls } = traced(
      before(world.deps, 'permits.acquire', () => starts.write({ ...first, mode: after, since: first.since + 1 }, first)),
    );
    const began = world.clock.now();
    await world.dispatchOnce(deps);
    const claim = calls.find(({ at }) => at === 'tasks.update')?.args[3] as {
      set: { run: { mode: string; leaseEnd: number; hint: number } };
    };
    expect(claim.set.run).toMatchObject({ mode, leaseEnd: began + leaseMs(auto, mode), hint: mode === 'event' ? 1 : 0 });
    expect(modes).toEqual([mode]);
    await world.submit('a', { type: 'echo', id: 'u' });
    await world.run();
    expect(modes).toEqual([mode, after]);
    expect(world.tasks.rows().map(({ state }) => state)).toEqual(['succeeded', 'succeeded']);
  });

  it('that becomes `wait` while a backlog is worked off, with no time left to wait, leaves it to the next', async () => {
    const { world, modes } = timed();
    const { starts } = world.deps;
    if (!starts) throw new Error('no starts');
    const first: StartChoice = { v: 1, type: 'echo', mode: 'event', since: world.clock.now() };
    await starts.write(first, undefined);
    await world.submit('a', ...['t', 'u'].map((id) => ({ type: 'echo', id })));
    // One starts, the other is parked; when the first has ended its lane is told.
    await world.dispatchOnce();
    await world.settleOnce();
    expect(await world.deps.backlog.first({ tenant: 'a', type: 'echo' }, 10)).toHaveLength(1);
    const deps = before(world.deps, 'backlog.first', async () => {
      world.clock.advance(171_000);
      await starts.write({ ...first, mode: 'wait', since: first.since + 1 }, first);
    });
    await world.dispatchOnce(deps);
    expect(modes).toEqual(['event']);
    expect(world.queue.bodies().filter((body) => body.includes('"kind":"lane"'))).toHaveLength(1);
    await world.dispatchOnce();
    expect(modes).toEqual(['event', 'wait']);
  });
});
