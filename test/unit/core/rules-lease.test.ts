import { LIMITS } from '@sluice/contracts';
import { describe, expect, it } from 'vitest';
import { EVENT_AGE_MS } from '../../../core/dispatch/work.ts';
import { startMode } from '../../../core/starts/choose.ts';
import { before, faultAt, writes } from '../../helpers/faults.ts';
import { watchHints } from '../../helpers/has-hint.ts';
import { held } from '../../helpers/held-runs.ts';
import { createWorld, typeSpec, type World } from '../../helpers/world.ts';

describe('the rule', () => {
  it('lease: an event that starts as late as it may and takes all its time ends before its lease', async () => {
    const runs = held();
    const world = createWorld({ handlers: { echo: () => 'ok' }, launch: runs.launch });
    await world.submit('a', { type: 'echo', id: 't1' });
    await world.dispatchOnce(before(world.deps, 'tasks.update', () => world.clock.advance(45_000)));
    // As late as it may: at its limit it is invoked, and not undone.
    expect(runs.count()).toBe(1);
    const invoked = world.clock.now();
    await world.run(EVENT_AGE_MS + 30_000);
    expect(world.clock.now()).toBe(invoked + EVENT_AGE_MS + 30_000);
    expect((await world.row('a', 't1')).state).toBe('running');
    expect((await world.row('a', 't1')).run?.leaseEnd).toBeGreaterThan(world.clock.now());
    await runs.endAll();
    await world.settleOnce();
    await world.run();
    expect(await world.row('a', 't1')).toMatchObject({ state: 'succeeded', lost: 0 });
  });

  it('lease: a success that comes after its lease was lost still counts, and runs nothing twice', async () => {
    const runs = held();
    const world = createWorld({ handlers: { echo: () => 'ok' }, launch: runs.launch });
    await world.submit('a', { type: 'echo', id: 't1' });
    await world.dispatchOnce();
    world.clock.advance(150_000);
    await world.dispatchOnce();
    expect(await world.row('a', 't1')).toMatchObject({ state: 'waiting', lost: 1 });
    await runs.endAll();
    await world.settleOnce();
    await world.run();
    expect(runs.count()).toBe(0);
    expect(await world.row('a', 't1')).toMatchObject({ state: 'succeeded', fence: 1 });
  });

  it('lease: a success with an old fence changes nothing, and is recorded and told', async () => {
    const runs = held();
    const world = createWorld({ handlers: { echo: () => 'ok' }, launch: runs.launch });
    await world.submit('a', { type: 'echo', id: 't1' });
    await world.dispatchOnce();
    world.clock.advance(150_000);
    await world.dispatchOnce();
    world.clock.advance(60_000);
    await world.dispatchOnce();
    expect(await world.row('a', 't1')).toMatchObject({ state: 'running', fence: 3 });
    await runs.endAll();
    await world.settleOnce();
    await world.settleOnce();
    const row = await world.row('a', 't1');
    expect(row).toMatchObject({ state: 'succeeded', fence: 3, attempts: 1, lost: 1 });
    expect((await world.tasks.attempts('a', 't1', row.uid)).filter((attempt) => attempt.late)).toMatchObject([
      { fence: 1, class: 'succeeded' },
    ]);
    expect(world.events.events()).toMatchObject([{ state: 'late_success', eventId: `${row.uid}:late:1` }]);
  });

  it('a success after a failure record of the same fence wins, and is one attempt', async () => {
    const world = createWorld({ handlers: { echo: () => 'ok' } });
    await world.submit('a', { type: 'echo', id: 't1' });
    await world.dispatchOnce();
    await world.starter.idle();
    const success = world.records[0];
    if (!success) throw new Error('no record');
    const failure = { messageId: 'f', body: success.body.replace('"condition":"Success"', '"condition":"RetriesExhausted"') };
    world.records.splice(0, 1, failure);
    await world.settleOnce();
    expect(await world.row('a', 't1')).toMatchObject({ state: 'waiting', attempts: 1 });
    world.records.push(success);
    await world.settleOnce();
    await world.run();
    expect(await world.row('a', 't1')).toMatchObject({ state: 'succeeded', attempts: 1, fence: 1 });
    expect(await world.held('a', 'echo')).toBe(0);
  });

  it('an ambiguous invocation is left to its lease: what it runs is settled, or it is lost', async () => {
    for (const start of ['event', 'wait'] as const) {
      let runs = 0;
      const world = createWorld({ types: [typeSpec('echo', { start })], handlers: { echo: () => void (runs += 1) } });
      const watch = watchHints(world, () => expect(watch.withoutHint()).toEqual([]));
      await world.submitBy(watch.deps, 'a', { type: 'echo', id: 't1' });
      await world.dispatchOnce(faultAt(watch.deps, 'starter.start', 'ambiguous'));
      await world.run();
      expect(await world.row('a', 't1')).toMatchObject({ state: 'succeeded', attempts: 1, lost: start === 'wait' ? 1 : 0 });
      expect(runs).toBe(start === 'wait' ? 2 : 1);
    }
  });

  it('a claim that was applied when its answer was cut is lost once, with its permit', async () => {
    const world = createWorld({ handlers: { echo: () => 'ok' } });
    const watch = watchHints(world, () => expect(watch.withoutHint()).toEqual([]));
    await world.submitBy(watch.deps, 'a', { type: 'echo', id: 't1' });
    await world.dispatchOnce(faultAt(watch.deps, 'tasks.update', 'ambiguous'));
    // No attempt of it is ever started, so that its permit does not wait for the lease's end.
    expect(await world.held('a', 'echo')).toBe(0);
    await world.run();
    expect(await world.row('a', 't1')).toMatchObject({ state: 'succeeded', attempts: 1, lost: 1 });
    expect(await world.held('a', 'echo')).toBe(0);
  });

  // Dispatch lives for less than such a type may take: its hints would be given back for ever.
  it('a type that is too long to wait for is started as an event', () => {
    const modes = [LIMITS.waitTimeoutSeconds, LIMITS.waitTimeoutSeconds + 1].map((timeoutSeconds) =>
      startMode({ start: 'wait', timeoutSeconds }, undefined),
    );
    expect(modes).toEqual(['wait', 'event']);
  });
});

it('a handler that is throttled for an hour is asked at a falling rate', async () => {
  let asked = 0;
  const world = createWorld({
    types: [typeSpec('echo', { start: 'wait' })],
    before: () => (asked++, { kind: 'refused', why: 'throttled', message: '429' }),
  });
  await world.submit('a', { type: 'echo', id: 't1' });
  await world.run(3_600_000);
  expect(await world.row('a', 't1')).toMatchObject({ state: 'waiting', attempts: 0 });
  expect(asked).toBeLessThan(200);
});

it('a settled write is conditional: what loses to another writer is decided anew', async () => {
  const world = createWorld({
    handlers: {
      echo: () => {
        throw new Error('no');
      },
    },
  });
  await world.submit('a', { type: 'echo', id: 't1' });
  await world.dispatchOnce();
  await world.starter.idle();
  const copy = { ...world.records[0] } as World['records'][number];
  const ports = before(
    world.deps,
    'tasks.update',
    async () => {
      world.records.push({ ...copy, messageId: 'copy' });
      await world.settleOnce();
    },
    writes('waiting'),
  );
  await world.settleOnce(ports);
  expect(await world.row('a', 't1')).toMatchObject({ state: 'waiting', attempts: 1, seq: 2 });
});
