import { OUTCOME_CLASSES, type OutcomeClass } from '@sluice/contracts';
import { describe, expect, it } from 'vitest';
import { attemptState } from '../../../core/api/attempt-state.ts';
import { cancelTask } from '../../../core/api/cancel-task.ts';
import { viewState } from '../../../core/api/view.ts';
import { settle } from '../../../core/settle/decide.ts';
import { before, faultAt, faulty, traced } from '../../helpers/faults.ts';
import { createWorld, typeSpec } from '../../helpers/world.ts';

const DAY_MS = 86_400_000;
const echo = (over = {}) => ({ type: 'echo', id: 't', payload: 1, ...over });

/** A world in which attempts run when the test says so. */
function heldWorld(answer: () => unknown = () => 'done') {
  const runs: (() => Promise<void>)[] = [];
  const world = createWorld({ types: [typeSpec('echo')], handlers: { echo: answer }, launch: (run) => void runs.push(run) });
  const endRuns = async () => {
    for (const run of runs.splice(0)) await run();
    await world.settleOnce();
  };
  return { world, endRuns };
}

describe('a task that waits', () => {
  it('is cancelled at once, told once, and never runs', async () => {
    const { world, endRuns } = heldWorld();
    await world.submit('a', echo({ delaySeconds: 60 }));
    const { uid } = await world.row('a', 't');

    expect(await cancelTask(world.deps, 'a', 't')).toEqual({ id: 't', uid, state: 'cancelled' });

    world.clock.advance(120_000);
    while ((await world.dispatchOnce()) > 0) await endRuns();
    expect(await world.row('a', 't')).toMatchObject({ state: 'cancelled', reason: 'cancelled', endedBy: 'hint', attempts: 0 });
    expect(new Set(world.events.events().map((e) => e.eventId))).toEqual(new Set([`${uid}:cancelled`]));
  });

  it('between two attempts keeps what they came to', async () => {
    const { world, endRuns } = heldWorld(() => {
      throw new Error('not today');
    });
    await world.submit('a', echo());
    await world.dispatchOnce();
    await endRuns();
    await cancelTask(world.deps, 'a', 't');
    expect(await world.row('a', 't')).toMatchObject({ state: 'cancelled', attempts: 1, error: { message: 'not today' } });
    expect(await world.held('a', 'echo')).toBe(0);
  });

  it('in a backlog leaves it without being started', async () => {
    const world = createWorld({ types: [typeSpec('echo', { concurrency: 1 })], handlers: { echo: () => 1 }, launch: () => undefined });
    await world.submit('a', echo(), echo({ id: 'u' }));
    await world.dispatchOnce();
    const [waiting] = world.tasks.rows().filter((row) => row.state === 'waiting');
    await cancelTask(world.deps, 'a', waiting?.id ?? '');
    await world.run(600_000);
    expect(await world.row('a', waiting?.id ?? '')).toMatchObject({ state: 'cancelled', fence: 0 });
    expect(await world.backlog.first({ tenant: 'a', type: 'echo' }, 10)).toEqual([]);
  });

  it('frees its id', async () => {
    const { world } = heldWorld();
    await world.submit('a', echo({ delaySeconds: 60 }));
    const old = await world.row('a', 't');
    await cancelTask(world.deps, 'a', 't');
    const [again] = await world.submit('a', echo({ payload: 2 }));
    expect(again).toMatchObject({ ok: true, task: { deduplicated: false } });
    expect((await world.row('a', 't')).uid).not.toBe(old.uid);
  });

  it('is told by its hint when the caller died before it could', async () => {
    const { world } = heldWorld();
    await world.submit('a', echo());
    await expect(cancelTask(faultAt(world.deps, 'tasks.update', 'die-after'), 'a', 't')).rejects.toThrow();
    expect(world.events.events()).toEqual([]);
    await world.dispatchOnce();
    expect(world.events.events()).toMatchObject([{ state: 'cancelled', id: 't' }]);
  });

  it('that is far away is told within minutes all the same, long before its own hint comes', async () => {
    const { world } = heldWorld();
    await world.submit('a', echo({ delaySeconds: 300 * 86_400 }));
    await expect(cancelTask(faultAt(world.deps, 'tasks.update', 'die-after'), 'a', 't')).rejects.toThrow();
    world.clock.advance(60_000);
    await world.dispatchOnce();
    expect(world.events.events()).toMatchObject([{ state: 'cancelled', id: 't' }]);
  });

  it('that is far away is told also when dispatch was quicker than the write', async () => {
    const { world } = heldWorld();
    await world.submit('a', echo({ delaySeconds: 300 * 86_400 }));
    const deps = faulty(world.deps, async ({ at }) => {
      if (at !== 'tasks.update') return 'none';
      await world.dispatchOnce();
      return 'die-after';
    });
    await expect(cancelTask(deps, 'a', 't')).rejects.toThrow();
    world.clock.advance(60_000);
    await world.dispatchOnce();
    expect(world.events.events()).toMatchObject([{ state: 'cancelled', id: 't' }]);
  });

  it('that is far away is left alone when its new hint could not be made', async () => {
    const { world } = heldWorld();
    await world.submit('a', echo({ delaySeconds: 300 * 86_400 }));
    await expect(cancelTask(faultAt(world.deps, 'queue.send', 'fail'), 'a', 't')).rejects.toMatchObject({ code: 'unavailable' });
    expect(await world.row('a', 't')).toMatchObject({ state: 'waiting', seq: 0 });
  });

  it('is answered as cancelled although nobody could be told yet', async () => {
    const { world } = heldWorld();
    await world.submit('a', echo());
    expect(await cancelTask(faultAt(world.deps, 'events.publish', 'fail'), 'a', 't')).toMatchObject({ state: 'cancelled' });
    await world.dispatchOnce();
    expect(world.events.events()).toMatchObject([{ state: 'cancelled' }]);
  });

  it('costs a read, a write and an event; its type is at hand', async () => {
    const { world } = heldWorld();
    await world.submit('a', echo());
    const { deps, calls } = traced(world.deps);
    await cancelTask(deps, 'a', 't');
    expect(calls.map((call) => call.at)).toEqual(['tasks.get', 'tasks.update', 'types.get', 'events.publish']);
  });
});

describe('a task that runs', () => {
  async function running(answer?: () => unknown) {
    const held = heldWorld(answer);
    await held.world.submit('a', echo());
    await held.world.dispatchOnce();
    return held;
  }

  it('reads cancelling until its attempt has ended, and then is cancelled with its error', async () => {
    const { world, endRuns } = await running(() => {
      throw new Error('stopped');
    });
    expect(await cancelTask(world.deps, 'a', 't')).toMatchObject({ state: 'cancelling' });
    expect(viewState(await world.row('a', 't'))).toBe('cancelling');

    await endRuns();

    expect(await world.row('a', 't')).toMatchObject({
      state: 'cancelled',
      reason: 'cancelled',
      attempts: 1,
      error: { message: 'stopped' },
    });
    expect(await world.held('a', 'echo')).toBe(0);
    expect(world.events.events()).toMatchObject([{ state: 'cancelled' }]);
    await world.run(600_000);
    expect(await world.row('a', 't')).toMatchObject({ state: 'cancelled', fence: 1 });
  });

  it('that succeeds all the same has succeeded', async () => {
    const { world, endRuns } = await running();
    await cancelTask(world.deps, 'a', 't');
    await endRuns();
    expect(await world.row('a', 't')).toMatchObject({ state: 'succeeded', attempts: 1 });
    expect(world.events.events()).toEqual([]);
  });

  it('and of which nothing is heard again is cancelled when its lease ends', async () => {
    const { world } = await running();
    await cancelTask(world.deps, 'a', 't');
    world.clock.advance(200_000);
    await world.dispatchOnce();
    expect(await world.row('a', 't')).toMatchObject({ state: 'cancelled', attempts: 0, lost: 1 });
    expect(await world.held('a', 'echo')).toBe(0);
  });

  it('is asked once: a repeat changes nothing', async () => {
    const { world } = await running();
    await cancelTask(world.deps, 'a', 't');
    const row = await world.row('a', 't');
    expect(await cancelTask(world.deps, 'a', 't')).toMatchObject({ state: 'cancelling' });
    expect(await world.row('a', 't')).toEqual(row);
  });

  it('tells its attempt, and nobody who does not hold its key', async () => {
    const { world, endRuns } = await running();
    const { uid, fence, run } = await world.row('a', 't');
    const question = { tenant: 'a', task: 't', uid, fence, key: run?.nonce ?? '' };
    const ask = (over = {}) => attemptState(world.deps, { ...question, ...over });
    expect(await ask()).toBe('running');
    await cancelTask(world.deps, 'a', 't');
    expect(await ask()).toBe('cancelling');
    for (const wrong of [{ key: 'guess' }, { fence: 2 }, { task: 'u' }, { tenant: 'b' }, { uid: '01JZ3N5V9K2M4P6Q8R0S1T3V5W' }]) {
      expect(await ask(wrong)).toBe('over');
    }
    await endRuns();
    expect(await ask()).toBe('over');
  });

  it('whose failure is settled at the same time is not run again', async () => {
    const { world, endRuns } = await running(() => {
      throw new Error('no');
    });
    await endRunsWhileCancelled();
    await world.run(600_000);
    expect(await world.row('a', 't')).toMatchObject({ state: 'cancelled', fence: 1, attempts: 1 });

    /** The cancellation comes between the next hint of the retry and its write. */
    async function endRunsWhileCancelled() {
      const settle = world.settleOnce;
      world.settleOnce = () => settle(before(world.deps, 'tasks.update', () => cancelTask(world.deps, 'a', 't')));
      await endRuns();
    }
  });
});

describe('a task that has ended', () => {
  it('cannot be cancelled, unless it is cancelled already', async () => {
    const { world, endRuns } = heldWorld();
    await world.submit('a', echo(), echo({ id: 'u', delaySeconds: 100 }));
    await world.dispatchOnce();
    await endRuns();
    await expect(cancelTask(world.deps, 'a', 't')).rejects.toMatchObject({ code: 'state_conflict', details: { state: 'succeeded' } });
    await cancelTask(world.deps, 'a', 'u');
    expect(await cancelTask(world.deps, 'a', 'u')).toMatchObject({ state: 'cancelled' });
  });

  it("of another tenant's is as unknown as one that never was", async () => {
    const { world } = heldWorld();
    await world.submit('a', echo());
    for (const id of ['t', 'never', '../t']) await expect(cancelTask(world.deps, 'b', id)).rejects.toMatchObject({ code: 'not_found' });
    expect(await world.row('a', 't')).toMatchObject({ state: 'waiting' });
  });
});

describe('an outcome of a task that was asked to stop', () => {
  const ended = OUTCOME_CLASSES.map((outcomeClass): [OutcomeClass, string, number] => [
    outcomeClass,
    outcomeClass === 'succeeded' ? 'succeeded' : 'cancelled',
    ['succeeded', 'retryable', 'fatal', 'crashed'].includes(outcomeClass) ? 3 : 2,
  ]);
  it.each(ended)('%s ends it as %s with %i attempts', async (outcomeClass, state, attempts) => {
    const { world } = heldWorld();
    await world.submit('a', echo());
    await world.dispatchOnce();
    const row = { ...(await world.row('a', 't')), cancelAt: world.clock.now(), attempts: 2, lost: 1 };
    const { uid, fence, type } = row;
    const now = world.clock.now() + DAY_MS;
    const outcome = { v: 1, tenant: 'a', id: 't', uid, fence, type, attempt: 3, class: outcomeClass, at: now } as const;
    const decision = settle({ row, outcome, by: 'hint', spec: typeSpec('echo'), now, fraction: 0.5 });
    expect(decision).toMatchObject({ do: 'end', change: { set: { state, attempts } } });
  });
});
