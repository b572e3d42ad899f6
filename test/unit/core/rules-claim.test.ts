import { describe, expect, it } from 'vitest';
import { EVENT_AGE_MS, leaseMs, runMs } from '../../../core/dispatch/work.ts';
import { before, faultAt, faulty, traced } from '../../helpers/faults.ts';
import { watchHints } from '../../helpers/has-hint.ts';
import { held } from '../../helpers/held-runs.ts';
import { T0 } from '../../helpers/samples.ts';
import { createWorld, typeSpec, type World } from '../../helpers/world.ts';

const permitsOf = (world: World) => world.permitsIn('a', 'echo');

describe.each(['event', 'wait'] as const)('with the %s starter, the rule', (start) => {
  const echo = typeSpec('echo', { start });

  it('instant: the permit expires when the lease ends, however slow the claim was', async () => {
    const world = createWorld({ types: [echo], handlers: { echo: () => 'ok' }, launch: () => {} });
    await world.submit('a', { type: 'echo', id: 't1' });
    const slow = before(
      before(world.deps, 'permits.acquire', () => world.clock.advance(7_000)),
      'tasks.update',
      () => world.clock.advance(9_000),
    );
    let permits: Awaited<ReturnType<typeof permitsOf>> = [];
    const ports = before(slow, 'starter.start', async () => (permits = await permitsOf(world)));
    await world.dispatchOnce(ports);
    const row = await world.row('a', 't1');
    expect(permits).toEqual([{ expiry: row.run?.leaseEnd, nonce: row.run?.nonce }]);
    expect(row.run?.leaseEnd).toBe(T0 + leaseMs(echo, start));
  });

  it.each([
    [45_000, 'invoked'],
    [45_001, 'undone'],
  ])('lateInvoke: after %i ms between permit and invocation the attempt is %s', async (ms, expected) => {
    let runs = 0;
    const world = createWorld({ types: [echo], handlers: { echo: () => void (runs += 1) } });
    const watch = watchHints(world);
    await world.submitBy(watch.deps, 'a', { type: 'echo', id: 't1' });
    await world.dispatchOnce(before(watch.deps, 'tasks.update', () => world.clock.advance(ms)));
    await world.starter.idle();
    expect(runs).toBe(expected === 'invoked' ? 1 : 0);
    if (expected === 'undone') expect(await world.row('a', 't1')).toMatchObject({ state: 'waiting', seq: 2, attempts: 0, lost: 0 });
    expect(watch.withoutHint()).toEqual([]);
    await world.run();
    expect(await world.row('a', 't1')).toMatchObject({ state: 'succeeded', attempts: 1, lost: 0 });
    expect(runs).toBe(1);
  });

  it('undoHint: an undone claim has its next hint, then its row, then its permit given back, then its message', async () => {
    let refused = 0;
    const world = createWorld({
      types: [echo],
      handlers: { echo: () => 'ok' },
      before: () => (refused++ === 0 ? { kind: 'refused', why: 'missing', message: '404' } : undefined),
    });
    await world.submit('a', { type: 'echo', id: 't1' });
    const { deps, calls } = traced(world.deps);
    await world.dispatchOnce(deps);
    const order = calls.map((call) => call.at);
    expect(order.slice(order.indexOf('starter.start') + 1)).toEqual([
      'types.get',
      'queue.send',
      'tasks.update',
      'timer.sleep',
      'permits.release',
      'queue.remove',
    ]);
    expect(await world.held('a', 'echo')).toBe(0);
  });

  it.each(
    ['queue.send', 'tasks.update', 'permits.release', 'queue.remove'].flatMap(
      (at) =>
        [
          [at, 'die'],
          [at, 'die-after'],
          [at, 'ambiguous'],
        ] as const,
    ),
  )('undoHint: an undo that fails at its %s (%s) loses nothing and costs no attempt', async (at, fault) => {
    let refused = 0;
    const world = createWorld({
      types: [echo],
      handlers: { echo: () => 'ok' },
      before: () => (refused++ === 0 ? { kind: 'refused', why: 'throttled', message: '429' } : undefined),
    });
    const watch = watchHints(world, () => expect(watch.withoutHint()).toEqual([]));
    await world.submitBy(watch.deps, 'a', { type: 'echo', id: 't1' });
    let started = false;
    let failed = false;
    const ports = faulty(watch.deps, (call) => {
      if (call.at === 'starter.start') started = true;
      const now = started && !failed && call.at === at;
      failed ||= now;
      return now ? fault : 'none';
    });
    await world.dispatchOnce(ports).catch(() => undefined);
    expect(failed).toBe(true);
    await world.run();
    const row = await world.row('a', 't1');
    expect(row).toMatchObject({ state: 'succeeded', attempts: 1 });
    expect(row.lost).toBeLessThanOrEqual(1);
    world.clock.advance(leaseMs(echo, start));
    await world.submit('a', { type: 'echo', id: 't2' });
    await world.run();
    expect(await world.held('a', 'echo')).toBe(0);
  });

  it('loser: who loses the race for a claim gives back its own permit, and that of the winner stays', async () => {
    const runs = held();
    const world = createWorld({ types: [echo], handlers: { echo: () => 'ok' }, launch: runs.launch });
    await world.submit('a', { type: 'echo', id: 't1' });
    await world.submit('a', { type: 'echo', id: 't1' });
    let winner: string | undefined;
    let kept: readonly { nonce: string }[] = [];
    // The winner claims between the loser's permit and its claim, and runs on while the loser gives up.
    const winning = before(world.deps, 'starter.start', async () => {
      winner = (await world.row('a', 't1')).run?.nonce;
      await loser;
      kept = await permitsOf(world);
    });
    let claimed = () => {};
    const claim = new Promise<void>((resolve) => (claimed = resolve));
    let win: Promise<number> | undefined;
    const losing = before(world.deps, 'tasks.update', async () => {
      win = world.dispatchOnce(
        before(winning, 'starter.start', () => claimed()),
        1,
      );
      await claim;
    });
    const loser: Promise<unknown> = world.dispatchOnce(losing, 1);
    await loser;
    await win;
    expect(kept.map((permit) => permit.nonce)).toEqual([winner]);
    await runs.endAll();
    await world.run();
    expect(await world.row('a', 't1')).toMatchObject({ state: 'succeeded', attempts: 1, lost: 0 });
    expect(await world.held('a', 'echo')).toBe(0);
  });

  it('lease: it outlasts the latest invocation that may be made and the longest run of it', () => {
    for (const timeoutSeconds of [1, 30, 900]) {
      const spec = typeSpec('echo', { start, timeoutSeconds });
      const age = start === 'event' ? EVENT_AGE_MS : 0;
      expect(leaseMs(spec, start)).toBe(timeoutSeconds * 1000 + age + 60_000);
      // The latest invocation is at (lease end - runMs); it may begin `age` later and then take its whole time.
      expect(runMs(spec, start)).toBe(timeoutSeconds * 1000 + age);
    }
  });

  it('lease: a dispatch that died before its invocation is lost, once, and the task goes on', async () => {
    const world = createWorld({ types: [echo], handlers: { echo: () => 'ok' } });
    const watch = watchHints(world, () => expect(watch.withoutHint()).toEqual([]));
    await world.submitBy(watch.deps, 'a', { type: 'echo', id: 't1' });
    await world.dispatchOnce(faultAt(watch.deps, 'tasks.update', 'die-after')).catch(() => undefined);
    const { leaseEnd = 0 } = (await world.row('a', 't1')).run ?? {};
    await world.run(leaseEnd - T0 - 1);
    expect(await world.row('a', 't1')).toMatchObject({ state: 'running', lost: 0 });
    await world.run();
    expect(await world.row('a', 't1')).toMatchObject({ state: 'succeeded', attempts: 1, lost: 1 });
  });
});
