import type { TaskEvent } from '@sluice/contracts';
import { describe, expect, it } from 'vitest';
import { before, faultAt, traced, writes, type PortCall } from '../../helpers/faults.ts';
import { watchHints } from '../../helpers/has-hint.ts';
import { createWorld, typeSpec, type World } from '../../helpers/world.ts';

const once = { maxAttempts: 1, minDelaySeconds: 0, maxDelaySeconds: 0, factor: 1 };

/** Time passes, and whoever holds a hint without a row drops it. */
async function passes(world: World, ms: number): Promise<void> {
  world.clock.advance(ms);
  while ((await world.dispatchOnce()) > 0);
}

describe('the rule', () => {
  it('submits payload, then hint, then row', async () => {
    const world = createWorld();
    const { deps, calls } = traced(world.deps);
    await world.submitBy(deps, 'a', { type: 'echo', id: 't1', payload: 'x'.repeat(1_000) });
    expect(calls.map((call: PortCall) => call.at).filter((at) => !at.startsWith('types.'))).toEqual([
      'values.put',
      'queue.send',
      'tasks.insert',
    ]);
  });

  it('confirm30: a row that was confirmed late gets another hint before it is answered', async () => {
    const world = createWorld({ handlers: { echo: () => 'ok' } });
    const watch = watchHints(world);
    const ports = before(watch.deps, 'tasks.insert', () => passes(world, 60_001));
    const [result] = await world.submitBy(ports, 'a', { type: 'echo', id: 't1' });
    expect(result).toMatchObject({ ok: true, task: { state: 'waiting' } });
    expect(watch.withoutHint()).toEqual([]);
    await world.run();
    expect(await world.row('a', 't1')).toMatchObject({ state: 'succeeded' });
  });

  it.each([
    [30_000, 1],
    [30_001, 2],
  ])('confirm30: a row confirmed %i ms after its hint is hinted %i times', async (ms, times) => {
    const world = createWorld();
    const { deps, calls } = traced(world.deps);
    await world.submitBy(
      before(deps, 'tasks.insert', () => world.clock.advance(ms)),
      'a',
      { type: 'echo', id: 't1' },
    );
    expect(calls.filter((call) => call.at === 'queue.send')).toHaveLength(times);
  });

  it('confirm30: a put that begins late is hinted again before it, so that no crash after it can strand the row', async () => {
    const world = createWorld({
      types: [typeSpec('echo', { retry: once })],
      handlers: {
        echo: () => {
          throw new Error('no');
        },
      },
    });
    await world.submit('a', { type: 'echo', id: 't1' });
    await world.run();
    const watch = watchHints(world);
    const slow = before(watch.deps, 'tasks.insert', () => passes(world, 61_000));
    const result = world.submitBy(faultAt(slow, 'tasks.replace', 'die-after'), 'a', { type: 'echo', id: 't1' });
    await result.catch(() => undefined);
    expect(await world.row('a', 't1')).toMatchObject({ state: 'waiting', seq: 0 });
    expect(watch.withoutHint()).toEqual([]);
  });

  it('confirm30: a row is not answered for where its second hint could not be made', async () => {
    const world = createWorld();
    const slow = before(world.deps, 'tasks.insert', () => passes(world, 61_000));
    const [result] = await world.submitBy(faultAt(slow, 'queue.send', 'fail', 2), 'a', { type: 'echo', id: 't1' });
    expect(result).toMatchObject({ ok: false, error: { code: 'unavailable', retryable: true } });
  });

  it('dupHint: a repeat that meets a live row hints it before it answers', async () => {
    const world = createWorld({ handlers: { echo: () => 'ok' } });
    const watch = watchHints(world);
    // The row is written when its hint is gone, and then its submission dies.
    const slow = before(watch.deps, 'tasks.insert', () => passes(world, 61_000));
    await world.submitBy(faultAt(slow, 'tasks.insert', 'die-after'), 'a', { type: 'echo', id: 't1' });
    expect(watch.withoutHint()).toHaveLength(1);

    const [result] = await world.submitBy(watch.deps, 'a', { type: 'echo', id: 't1' });
    expect(result).toMatchObject({ ok: true, task: { deduplicated: true } });
    expect(watch.withoutHint()).toEqual([]);
    await world.run();
    expect(await world.row('a', 't1')).toMatchObject({ state: 'succeeded' });
  });

  it('dupHint: a repeat whose hint could not be made is not answered with success', async () => {
    const world = createWorld();
    await world.submit('a', { type: 'echo', id: 't1' });
    const [result] = await world.submitBy(faultAt(world.deps, 'queue.send', 'fail', 2), 'a', { type: 'echo', id: 't1' });
    expect(result).toMatchObject({ ok: false, error: { code: 'unavailable' } });
  });

  it('dupHint: a repeat of a running task hints the end of its lease', async () => {
    const world = createWorld({ handlers: { echo: () => 'ok' }, launch: () => {} });
    await world.submit('a', { type: 'echo', id: 't1' });
    await world.dispatchOnce();
    const { leaseEnd } = (await world.row('a', 't1')).run ?? {};
    await world.submit('a', { type: 'echo', id: 't1' });
    const named = world.queue.bodies().filter((body) => body.includes('"look":true') && body.includes(`"at":${leaseEnd}`));
    expect(named).toHaveLength(2);
  });

  it('answers a lost put with the row that was written', async () => {
    const world = createWorld();
    const twice = {
      ...world.deps,
      tasks: {
        ...world.deps.tasks,
        insert: async (row: Parameters<World['tasks']['insert']>[0]) => (await world.deps.tasks.insert(row), world.deps.tasks.insert(row)),
      },
    };
    const [result] = await world.submitBy(twice, 'a', { type: 'echo', id: 't1' });
    expect(result).toMatchObject({ ok: true, task: { deduplicated: false } });
  });

  it('refuses an id whose payload is another', async () => {
    const world = createWorld();
    const results = await world.submit(
      'a',
      { type: 'echo', id: 't1', payload: { a: 1, b: 2 } },
      { type: 'echo', id: 't1', payload: { b: 2, a: 1 } },
      { type: 'echo', id: 't1', payload: { a: 2 } },
    );
    expect(results).toMatchObject([
      { ok: true, task: { deduplicated: false } },
      { ok: true, task: { deduplicated: true } },
      { ok: false, error: { code: 'id_conflict' } },
    ]);
  });

  it('answers each task of a batch for itself where hints or rows fail', async () => {
    const world = createWorld({ handlers: { echo: () => 'ok' } });
    const batch = Array.from({ length: 120 }, (_, i) => ({ type: i === 7 ? 'none' : 'echo', id: `t${i}` }));
    const results = await world.submitBy(faultAt(faultAt(world.deps, 'queue.send', 'fail', 2), 'tasks.insert', 'fail', 3), 'a', ...batch);
    const codes = results.map((r) => (r.ok ? 'ok' : r.error.code));
    expect(codes[7]).toBe('unknown_type');
    expect(codes.filter((code) => code === 'unavailable').length).toBeGreaterThan(10);
    await world.run();
    for (const [i, result] of results.entries()) if (result.ok) expect(await world.row('a', `t${i}`)).toMatchObject({ state: 'succeeded' });
  });
});

describe.each(['event', 'wait'] as const)('the rule freeTells, where the %s starter', (start) => {
  it.each(['permits.release', 'events.publish'])(
    'freeTells: an id that is freed before its end was told (died at %s) is told by who frees it',
    async (at) => {
      let runs = 0;
      const world = createWorld({
        types: [typeSpec('echo', { start, retry: once })],
        handlers: {
          echo: () => {
            if (runs++ === 0) throw new Error('no');
          },
        },
      });
      const [first] = await world.submit('a', { type: 'echo', id: 't1' });
      const dying = faultAt(world.deps, at, 'die');
      if (start === 'wait') await world.dispatchOnce(dying).catch(() => undefined);
      else {
        await world.dispatchOnce();
        await world.starter.idle();
        await world.settleOnce(dying);
        // The record is lost with its queue.
        world.records.splice(0);
      }
      expect(await world.row('a', 't1')).toMatchObject({ state: 'failed' });
      expect(world.events.events()).toEqual([]);

      const [second] = await world.submit('a', { type: 'echo', id: 't1' });

      expect(second).toMatchObject({ ok: true, task: { deduplicated: false, state: 'waiting' } });
      const uid = first?.ok ? first.task.uid : '';
      expect(world.events.events().map((e: TaskEvent) => e.eventId)).toEqual([`${uid}:failed`]);
      expect(await world.held('a', 'echo')).toBe(0);
      expect(world.tasks.archived()).toMatchObject([{ uid, state: 'failed' }]);
    },
  );
});

it.each(['event', 'wait'] as const)(
  'tell: what ended a task repeats its effects, however often whoever wrote it dies before them (%s)',
  async (start) => {
    const world = createWorld({
      types: [typeSpec('echo', { start, retry: once })],
      handlers: {
        echo: () => {
          throw new Error('no');
        },
      },
    });
    const [first] = await world.submit('a', { type: 'echo', id: 't1' });
    if (start === 'event') {
      await world.dispatchOnce();
      await world.starter.idle();
    }
    const again = start === 'event' ? world.settleOnce : world.dispatchOnce;
    for (const at of ['permits.release', 'events.publish']) {
      await again(faultAt(world.deps, at, 'die')).catch(() => undefined);
      expect(await world.row('a', 't1')).toMatchObject({ state: 'failed', endedBy: start === 'event' ? 'record' : 'hint' });
      expect(world.events.events()).toEqual([]);
      world.clock.advance(180_000);
    }
    while (await world.pump());
    const uid = first?.ok ? first.task.uid : '';
    expect(world.events.events().map((e) => e.eventId)).toEqual([`${uid}:failed`]);
    expect(await world.held('a', 'echo')).toBe(0);
  },
);

it('tell: an expiry that died before its event is told by its predecessor hint', async () => {
  const world = createWorld();
  await world.submit('a', { type: 'echo', id: 't1', expiresAt: new Date(world.clock.now() + 1_000).toISOString() });
  world.clock.advance(1_000);
  await world.dispatchOnce(faultAt(world.deps, 'events.publish', 'die')).catch(() => undefined);
  expect(await world.row('a', 't1')).toMatchObject({ state: 'expired', endedBy: 'hint' });
  world.clock.advance(180_000);
  await world.dispatchOnce();
  expect(world.events.events()).toMatchObject([{ state: 'expired' }]);
});

it('tell: a lost lease that ended its task is told though its settler died', async () => {
  const world = createWorld({ before: () => ({ kind: 'started' }) });
  await world.submit('a', { type: 'echo', id: 't1' });
  const dying = before(world.deps, 'tasks.update', () => {}, writes('failed'));
  for (let i = 0; i < 40; i++) {
    await world.dispatchOnce(faultAt(dying, 'events.publish', 'die')).catch(() => undefined);
    if ((await world.row('a', 't1')).state === 'failed') break;
    world.clock.advance(60_000);
  }
  expect(await world.row('a', 't1')).toMatchObject({ state: 'failed', reason: 'outcome_unknown', lost: 3, attempts: 0 });
  expect(world.events.events()).toEqual([]);
  world.clock.advance(180_000);
  await world.dispatchOnce();
  expect(world.events.events()).toMatchObject([{ state: 'failed', reason: 'outcome_unknown' }]);
});
