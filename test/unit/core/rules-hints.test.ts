import { describe, expect, it } from 'vitest';
import { look } from '../../../core/dispatch/look.ts';
import { before, faultAt, traced, writes } from '../../helpers/faults.ts';
import { watchHints } from '../../helpers/has-hint.ts';
import { hintedTask, rowOf, T0, UID } from '../../helpers/samples.ts';
import { createWorld, typeSpec, type World } from '../../helpers/world.ts';

const wait = typeSpec('echo', { start: 'wait' });
const event = typeSpec('echo');
const slow = (ms: number) => ({ retry: { maxAttempts: 3, minDelaySeconds: ms / 1000, maxDelaySeconds: 86_400, factor: 2 } });
const crashed = (run: Promise<unknown>) =>
  run.then(
    () => 'went on',
    () => 'crashed',
  );

async function allDispatched(world: World): Promise<void> {
  while ((await world.dispatchOnce()) > 0);
}

describe('the rule', () => {
  it('named: a message in wait mode is the hint of its attempt, though its seq is left behind', async () => {
    const world = createWorld({ types: [wait], handlers: { echo: () => 'ok' } });
    await world.submit('a', { type: 'echo', id: 't1' });
    expect(await crashed(world.dispatchOnce(faultAt(world.deps, 'starter.start', 'die')))).toBe('crashed');
    expect(await world.row('a', 't1')).toMatchObject({ state: 'running', seq: 1, run: { hint: 0, mode: 'wait' } });

    await world.run();

    expect(await world.row('a', 't1')).toMatchObject({ state: 'succeeded', lost: 1, attempts: 1 });
    expect(await world.held('a', 'echo')).toBe(0);
  });

  it.each([wait, event])('ahead: a hint that is quicker than the write that it is for is given back ($start)', async (spec) => {
    let runs = 0;
    const world = createWorld({
      types: [{ ...spec, ...slow(0) }],
      handlers: {
        echo: () => {
          if (runs++ === 0) throw new Error('no');
        },
      },
    });
    await world.submit('a', { type: 'echo', id: 't1' });
    if (spec.start === 'event') await world.dispatchOnce();
    await world.starter.idle();
    // Between the next hint and its row all that can be received is received, and then given back, not dropped.
    let others = 0;
    const ahead = async () => {
      others += await world.dispatchOnce();
      expect(await world.row('a', 't1')).toMatchObject({ state: 'running', seq: 1 });
    };
    const ports = before(world.deps, 'tasks.update', ahead, writes('waiting'));
    await (spec.start === 'event' ? world.settleOnce(ports) : world.dispatchOnce(ports));
    expect(others).toBe(1);
    expect(await world.row('a', 't1')).toMatchObject({ state: 'waiting', seq: 2 });

    await world.run();
    expect(await world.row('a', 't1')).toMatchObject({ state: 'succeeded', attempts: 2, lost: 0 });
  });

  it('uidAge: a hint whose row is still of the old generation waits for its own', async () => {
    let runs = 0;
    const world = createWorld({
      types: [typeSpec('echo', { retry: { maxAttempts: 1, minDelaySeconds: 0, maxDelaySeconds: 0, factor: 1 } })],
      handlers: {
        echo: () => {
          if (runs++ === 0) throw new Error('no');
        },
      },
    });
    const [first] = await world.submit('a', { type: 'echo', id: 't1' });
    await world.run();
    // The new hint is received while the row is the failed one; 29 s later it is there still.
    const ports = before(world.deps, 'tasks.replace', async () => {
      let received = 0;
      for (let s = 0; s < 29; s += 2) {
        received += await world.dispatchOnce();
        world.clock.advance(2_000);
      }
      expect(received).toBeGreaterThan(4);
    });
    const [second] = await world.submitBy(ports, 'a', { type: 'echo', id: 't1' });
    expect(second).toMatchObject({ ok: true, task: { deduplicated: false } });
    expect(second?.ok && first?.ok && second.task.uid !== first.task.uid).toBe(true);

    await world.run();
    expect(await world.row('a', 't1')).toMatchObject({ state: 'succeeded', attempts: 1 });
  });

  it('uidAge: the hint of an old generation says nothing of the new one, and goes after a minute', async () => {
    const world = createWorld({ types: [], handlers: { echo: () => 'ok' } });
    await world.types.put(event);
    await world.tasks.insert(
      rowOf({ state: 'running', seq: 1, fence: 1, run: { hint: 0, mode: 'wait', claimedAt: T0, leaseEnd: T0 + 1e9, cell: 0, nonce: 'n' } }),
    );
    const old = hintedTask({ uid: `${UID.slice(0, -1)}0`, made: T0 - 60_000 });
    const work = { tenant: 'a', task: old, source: 'queue', blind: false } as const;
    expect(await look(world.deps, work)).toEqual({ end: { hint: 'keep', seconds: 2 } });
    world.clock.advance(1);
    expect(await look(world.deps, work)).toEqual({ end: { hint: 'done' } });
    expect(await world.row('a', 't1')).toMatchObject({ state: 'running', seq: 1 });
  });

  it('nowFirst: time that passes while the row is read makes no orphan', async () => {
    const world = createWorld();
    const late = {
      ...world.deps,
      tasks: {
        ...world.deps.tasks,
        get: async (tenant: string, id: string) => {
          const found = await world.deps.tasks.get(tenant, id);
          world.clock.advance(61_000);
          return found;
        },
      },
    };
    const work = { tenant: 'a', task: hintedTask(), source: 'queue', blind: false } as const;
    expect(await look(late, work)).toEqual({ end: { hint: 'keep', seconds: 2 } });
  });

  it('nowFirst: nor does time that passes while a blind claim waits for the row', async () => {
    const world = createWorld({ handlers: { echo: () => 'ok' } });
    const dying = faultAt(world.deps, 'tasks.insert', 'die');
    await world.submitBy(dying, 'a', { type: 'echo', id: 't1' });
    const slowTimer = { ...world.deps, timer: { sleep: async (ms: number) => (ms > 100 ? world.clock.advance(59_999) : undefined) } };
    await world.dispatchOnce(slowTimer);
    expect(world.queue.counts().inFlight).toBe(1);
    expect(await world.held('a', 'echo')).toBe(0);
  });

  it('range: a copy of the hint of a running attempt is its own, in the queue and in the backlog', async () => {
    const world = createWorld({ types: [{ ...wait, concurrency: 1 }], handlers: { echo: () => 'ok' } });
    const watch = watchHints(world);
    await world.submitBy(watch.deps, 'a', { type: 'echo', id: 't1' });
    await world.submitBy(watch.deps, 'a', { type: 'echo', id: 't1' });
    // One copy claims; the other finds the lane full and goes to the backlog; then the one that claimed is purged.
    await crashed(world.dispatchOnce(faultAt(watch.deps, 'starter.start', 'die'), 1));
    await world.dispatchOnce(watch.deps, 1);
    await world.dispatchOnce(watch.deps, 9);
    const row = await world.row('a', 't1');
    expect(row).toMatchObject({ state: 'running', run: { hint: 0 } });
    expect(watch.hintsOf(row)).toContain('backlog');
    world.clock.advance(180_000);
    // The message that the claim came by is lost for good.
    for (const message of await world.queue.receive(10)) if (!message.body.includes('"lane"')) await world.queue.remove(message.receipt);
    expect(watch.withoutHint()).toEqual([]);

    await world.run();
    expect(await world.row('a', 't1')).toMatchObject({ state: 'succeeded', lost: 1 });
  });

  it('relook: a claim that was applied, and is reported as lost, is known by its nonce and goes on', async () => {
    let runs = 0;
    const world = createWorld({ handlers: { echo: () => void (runs += 1) } });
    await world.submit('a', { type: 'echo', id: 't1' });
    // What the SDK's own retry makes of an answer that was cut: the second try finds its condition failed.
    const twice = {
      ...world.deps,
      tasks: {
        ...world.deps.tasks,
        update: async (...args: Parameters<World['tasks']['update']>) => {
          await world.deps.tasks.update(...args);
          return world.deps.tasks.update(...args);
        },
      },
    };
    await world.dispatchOnce(twice);
    await world.starter.idle();
    expect(runs).toBe(1);
    await world.run();
    expect(await world.row('a', 't1')).toMatchObject({ state: 'succeeded', attempts: 1, lost: 0 });
    expect(runs).toBe(1);
  });

  it('relook: a lost claim decides nothing, its hint is looked at with the row as it is', async () => {
    const world = createWorld({ types: [wait], handlers: { echo: () => 'ok' } });
    await world.submit('a', { type: 'echo', id: 't1' });
    const row = await world.row('a', 't1');
    // Somebody writes the row between receive and claim; its own hint is ahead of what we hold.
    const ports = before(world.deps, 'tasks.update', async () => {
      await world.tasks.update('a', 't1', row, { set: { at: row.at } });
      await world.submit('a', { type: 'echo', id: 't1' });
    });
    await world.dispatchOnce(ports, 1);
    expect(await world.held('a', 'echo')).toBe(0);
    await world.run();
    expect(await world.row('a', 't1')).toMatchObject({ state: 'succeeded', lost: 0 });
  });

  it('noRepeatHint: a failure that is recorded twice makes one next hint and is counted once', async () => {
    const world = createWorld({
      types: [{ ...event, ...slow(600_000) }],
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
    await world.settleOnce();
    const hints = world.queue.bodies().length;
    world.records.push(copy);
    const { deps, calls } = traced(world.deps);
    await world.settleOnce(deps);
    expect(calls.map((call) => call.at)).not.toContain('queue.send');
    expect(calls.map((call) => call.at)).toContain('permits.release');
    expect(world.queue.bodies()).toHaveLength(hints);
    expect(await world.row('a', 't1')).toMatchObject({ state: 'waiting', attempts: 1 });
  });

  it('seq: a claim on a row that was read before another attempt came and went is lost', async () => {
    let runs = 0;
    const world = createWorld({
      types: [{ ...event, ...slow(0) }],
      handlers: {
        echo: () => {
          if (runs++ === 0) throw new Error('no');
        },
      },
    });
    await world.submit('a', { type: 'echo', id: 't1' });
    await world.submit('a', { type: 'echo', id: 't1' });
    const ports = before(world.deps, 'tasks.update', async () => {
      await allDispatched(world);
      await world.starter.idle();
      await world.settleOnce();
      // Waiting again, as it was when the other looked, but two writes later.
      expect(await world.row('a', 't1')).toMatchObject({ state: 'waiting', seq: 2 });
    });
    await world.dispatchOnce(ports, 1);
    expect(runs).toBe(1);
    expect(await world.held('a', 'echo')).toBe(0);
    await world.run();
    expect(await world.row('a', 't1')).toMatchObject({ state: 'succeeded', attempts: 2, seq: 4 });
  });
});
