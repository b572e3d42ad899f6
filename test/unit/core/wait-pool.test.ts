import { describe, expect, it } from 'vitest';
import { quiet } from '../../../sim/quiet.ts';
import { faulty, traced } from '../../helpers/faults.ts';
import { createWorld, typeSpec, type WorldDeps } from '../../helpers/world.ts';

/** A lane of the `wait` starter, whose attempts run until they are ended. */
function lane(concurrency: number) {
  const running = new Map<string, () => void>();
  const world = createWorld({
    types: [typeSpec('echo', { start: 'wait', concurrency, timeoutSeconds: 10 })],
    handlers: { echo: ({ sluice }) => new Promise<void>((resolve) => running.set(sluice.task, resolve)) },
  });
  const submit = (...ids: string[]) => world.submit('a', ...ids.map((id) => ({ type: 'echo', id })));
  const end = async (id: string) => {
    const resolve = running.get(id);
    running.delete(id);
    resolve?.();
    await quiet();
  };
  const begin = (deps?: WorldDeps) => {
    const state = { over: false };
    const invocation = world.dispatchOnce(deps).finally(() => (state.over = true));
    return { state, invocation };
  };
  return { world, submit, end, begin, names: () => [...running.keys()].sort() };
}

const ids = (count: number) => Array.from({ length: count }, (_, n) => `t${n}`);

describe('a dispatch that waits for its attempts', () => {
  it('fills each slot again out of the backlog as soon as it is free, with no message in between', async () => {
    const { world, submit, end, begin, names } = lane(2);
    await submit(...ids(6));
    const { deps, calls } = traced(world.deps);
    const { state, invocation } = begin(deps);
    await quiet();
    expect(names()).toHaveLength(2);
    const [slow = '', quick = ''] = names();
    // One goes on running; the others follow each other in the other slot.
    let last = quick;
    for (let n = 0; n < 4; n++) {
      await end(last);
      expect(names()).toHaveLength(2);
      last = names().find((name) => name !== slow) ?? '';
    }
    await end(last);
    expect(names()).toEqual([slow]);
    expect(state.over).toBe(false);
    await end(slow);
    await invocation;
    expect(world.tasks.rows().every((row) => row.state === 'succeeded')).toBe(true);
    // Parked while the first two ran, the lane was not told of by a message when one of them ended.
    const lanes = calls.filter(({ at, args }) => at === 'queue.send' && JSON.stringify(args).includes('"kind":"lane"'));
    expect(lanes).toEqual([]);
    expect(await world.deps.backlog.first({ tenant: 'a', type: 'echo' }, 10)).toEqual([]);
    expect(await world.held('a', 'echo')).toBe(0);
  });

  it('never runs more than the limit, however many lane hints come for it', async () => {
    const { world, submit, end, begin, names } = lane(3);
    await submit(...ids(12));
    const first = begin();
    await quiet();
    await world.tick();
    const second = begin();
    await quiet();
    let most = 0;
    while (names().length > 0) {
      most = Math.max(most, names().length);
      await end(names()[0] ?? '');
    }
    await Promise.all([first.invocation, second.invocation]);
    expect(most).toBe(3);
    expect(world.tasks.rows().every((row) => row.state === 'succeeded')).toBe(true);
  });

  it('takes what it has claimed out of the backlog at once, so that nobody else looks at it', async () => {
    const { world, submit, end, begin, names } = lane(1);
    await submit('t0', 't1');
    const { invocation } = begin();
    await quiet();
    const [first = ''] = names();
    await end(first);
    expect(names()).toHaveLength(1);
    expect(await world.deps.backlog.first({ tenant: 'a', type: 'echo' }, 10)).toEqual([]);
    await end(names()[0] ?? '');
    await invocation;
  });

  it('gives messages back at once that are to come again, and not when the pool is done', async () => {
    const { world, submit, end, begin, names } = lane(1);
    await submit('t0', 't1');
    await world.submitBy(
      faulty(world.deps, ({ at }) => (at === 'tasks.insert' ? 'fail' : 'none')),
      'b',
      { type: 'echo', id: 'gone' },
    );
    const { deps, calls } = traced(world.deps);
    const { invocation, state } = begin(deps);
    await quiet();
    const [first = ''] = names();
    await end(first);
    expect(calls.map(({ at }) => at)).toContain('queue.giveBack');
    expect(state.over).toBe(false);
    await end(names()[0] ?? '');
    await invocation;
  });

  it('tells another of the backlog when its time is over', async () => {
    const { world, submit, end, begin, names } = lane(1);
    await submit('t0', 't1', 't2');
    const { invocation } = begin();
    await quiet();
    world.clock.advance(179_000);
    await end(names()[0] ?? '');
    await invocation;
    expect(names()).toEqual([]);
    expect(world.queue.bodies().filter((body) => body.includes('"kind":"lane"'))).toHaveLength(1);
    const next = begin();
    await quiet();
    while (names().length > 0) await end(names()[0] ?? '');
    await next.invocation;
    expect(world.tasks.rows().every((row) => row.state === 'succeeded')).toBe(true);
  });
});
