import { LIMITS, type Envelope, type Priority } from '@sluice/contracts';
import { describe, expect, it } from 'vitest';
import { attemptState } from '../../../core/api/attempt-state.ts';
import { cancelTask } from '../../../core/api/cancel-task.ts';
import { getTask } from '../../../core/api/get-task.ts';
import { faultAt, traced } from '../../helpers/faults.ts';
import { createWorld, typeSpec } from '../../helpers/world.ts';

const LANE = { tenant: 'a', type: 'echo' };

/** A lane of two; attempts that were asked to stop do so with the number of times that they have run as their checkpoint. */
function lane(over: { readonly preemptible?: boolean; readonly concurrency?: number } = {}) {
  const runs = new Map<string, () => Promise<void>>();
  const began: [string, unknown][] = [];
  let next = '';
  const world = createWorld({
    types: [typeSpec('echo', { concurrency: 2, preemptible: true, ...over })],
    handlers: {
      echo: ({ sluice }) => {
        began.push([sluice.task, sluice.checkpoint]);
        const row = world.tasks.rows().find(({ id }) => id === sluice.task);
        if (row?.preemptAt === undefined) return 'done';
        return { sluice: { version: 1, class: 'preempted', startedAt: 1, endedAt: 2, checkpoint: { step: sluice.fence } } };
      },
    },
    before: (_, __, { sluice }) => void (next = sluice.task),
    launch: (run) => void runs.set(next, run),
  });
  const work = async () => {
    while ((await world.dispatchOnce()) > 0);
  };
  const submit = async (priority: Priority, ...ids: string[]) => {
    await world.submit('a', ...ids.map((id) => ({ type: 'echo', id, priority })));
    await work();
  };
  const ask = async (id: string, deps = world.deps) => {
    const row = await world.row('a', id);
    return attemptState(deps, { tenant: 'a', task: id, uid: row.uid, fence: row.fence, key: row.run?.nonce ?? 'none' });
  };
  const end = async (id: string) => {
    await runs.get(id)?.();
    runs.delete(id);
    await world.settleOnce();
    await work();
  };
  return { world, submit, ask, end, work, began };
}

describe('a low attempt of a preemptible type', () => {
  it('is asked to make room when a high one waits, stops at its checkpoint, and goes on from there, free of charge', async () => {
    const { world, submit, ask, end, began } = lane();
    await submit('low', 'l1', 'l2');
    expect(await ask('l1')).toBe('running');
    await submit('high', 'h1');
    expect(await ask('l1')).toBe('preempting');
    expect(await ask('l1')).toBe('preempting');
    // One that waits needs one permit.
    expect(await ask('l2')).toBe('running');
    await end('l1');
    expect(await world.row('a', 'h1')).toMatchObject({ state: 'running' });
    expect(await world.row('a', 'l1')).toMatchObject({ state: 'waiting', attempts: 0, lost: 0, throttled: 0, preempted: 1, again: 'free' });
    await end('h1');
    expect(await world.row('a', 'l1')).toMatchObject({ state: 'running' });
    expect(await world.row('a', 'l1')).not.toHaveProperty('preemptAt');
    await end('l1');
    expect(await world.row('a', 'l1')).toMatchObject({ state: 'succeeded', attempts: 1, preempted: 1 });
    expect(began).toEqual([
      ['l1', undefined],
      ['h1', undefined],
      ['l1', { step: 1 }],
    ]);
    const { preempted, timeline } = await getTask(world.deps, 'a', 'l1', []);
    expect(preempted).toBe(1);
    expect(timeline.attempts.map(({ outcome }) => outcome)).toEqual(['preempted', 'succeeded']);
    expect(world.telemetry.total('attempt.preempted')).toBe(1);
  });

  it(`makes room ${LIMITS.preemptions} times, then runs through`, async () => {
    const { world, submit, ask, end } = lane({ concurrency: 1 });
    await submit('low', 'l1');
    for (let n = 1; n <= LIMITS.preemptions + 1; n++) {
      await submit('high', `h${n}`);
      const answer = await ask('l1');
      expect(answer).toBe(n <= LIMITS.preemptions ? 'preempting' : 'running');
      await end('l1');
      await end(`h${n}`);
    }
    expect(await world.row('a', 'l1')).toMatchObject({ state: 'succeeded', attempts: 1, preempted: LIMITS.preemptions });
  });

  it('that succeeds all the same has succeeded; one that is cancelled is', async () => {
    const { world, submit, ask, end } = lane();
    await submit('low', 'l1', 'l2');
    await submit('high', 'h1', 'h2');
    expect(await ask('l1')).toBe('preempting');
    await cancelTask(world.deps, 'a', 'l1');
    expect(await ask('l1')).toBe('cancelling');
    await end('l1');
    expect(await world.row('a', 'l1')).toMatchObject({ state: 'cancelled' });
    expect(await ask('l2')).toBe('preempting');
    await world.deps.tasks.update('a', 'l2', await world.row('a', 'l2'), { set: {}, remove: ['preemptAt'] });
    await end('l2');
    expect(await world.row('a', 'l2')).toMatchObject({ state: 'succeeded' });
  });

  it('is not asked where the breaker or nothing at all holds the high one', async () => {
    const { world, submit, ask, end } = lane();
    await submit('low', 'l1', 'l2');
    await submit('high', 'h1');
    await end('l2');
    expect(await world.row('a', 'h1')).toMatchObject({ state: 'running' });
    expect(await ask('l1')).toBe('running');
    expect((await world.deps.permits.read(LANE, 0)).wanted ?? 0).toBeLessThanOrEqual(1);
  });

  it('that was marked but not told learns of it when it asks again', async () => {
    const { world, submit, ask } = lane();
    await submit('low', 'l1', 'l2');
    await submit('high', 'h1');
    await ask('l1', faultAt(world.deps, 'tasks.update', 'ambiguous')).catch(() => undefined);
    expect(await ask('l1')).toBe('preempting');
  });
});

describe('nobody else makes room', () => {
  it.each([
    ['low', false],
    ['normal', true],
    ['high', true],
  ] as const)('an attempt of %s, of a type that is preemptible: %s', async (priority, preemptible) => {
    const { world, submit, ask } = lane({ preemptible });
    await submit(priority, 't1', 't2');
    await submit('high', 'h1');
    const { deps, calls } = traced(world.deps);
    expect(await ask('t1', deps)).toBe('running');
    // Nor does it cost a call to know it.
    expect(calls.map(({ at }) => at).filter((at) => at !== 'types.get')).toEqual(['tasks.get']);
  });

  it('who says that it was preempted and was not has failed', async () => {
    const world = createWorld({
      types: [typeSpec('echo', { retry: { maxAttempts: 1, minDelaySeconds: 0, maxDelaySeconds: 0, factor: 1 } })],
      handlers: { echo: () => ({ sluice: { version: 1, class: 'preempted', startedAt: 1, endedAt: 2 } }) },
    });
    await world.submit('a', { type: 'echo', id: 't1' });
    await world.run();
    expect(await world.row('a', 't1')).toMatchObject({ state: 'failed', reason: 'attempts_exhausted', attempts: 1 });
  });
});

describe('a checkpoint', () => {
  const failing = (checkpoint: unknown) => {
    const seen: Envelope['sluice'][] = [];
    const world = createWorld({
      handlers: {
        echo: ({ sluice }) => {
          seen.push(sluice);
          return sluice.attempt === 1
            ? { sluice: { version: 1, class: 'retryable', startedAt: 1, endedAt: 2, error: { name: 'E', message: 'no' }, checkpoint } }
            : 'ok';
        },
      },
    });
    return { world, seen };
  };

  it('of an attempt that failed is there for the next one too', async () => {
    const { world, seen } = failing({ row: 17 });
    await world.submit('a', { type: 'echo', id: 't1' });
    await world.run();
    expect(seen.map(({ checkpoint }) => checkpoint)).toEqual([undefined, { row: 17 }]);
    expect(await world.row('a', 't1')).toMatchObject({ state: 'succeeded', attempts: 2, checkpoint: { fence: 1, bytes: 10 } });
  });

  it('that is too large fails the task, and says what to do', async () => {
    const { world } = failing('x'.repeat(LIMITS.checkpointBytes));
    await world.submit('a', { type: 'echo', id: 't1' });
    await world.run();
    expect(await world.row('a', 't1')).toMatchObject({ state: 'failed', error: { name: 'CheckpointTooLarge' } });
  });

  it('that is gone is none', async () => {
    const { world, seen } = failing(1);
    await world.submit('a', { type: 'echo', id: 't1' });
    await world.run(3_600_000, { ...world.deps, values: { ...world.deps.values, get: createWorld().deps.values.get } });
    expect(seen.map(({ checkpoint }) => checkpoint)).toEqual([undefined, undefined]);
    expect(await world.row('a', 't1')).toMatchObject({ state: 'succeeded' });
  });
});
