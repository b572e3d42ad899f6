import { describe, expect, it } from 'vitest';
import { audit } from '../../../core/audit/audit.ts';
import { drainLane } from '../../../core/dispatch/drain.ts';
import { faultAt, faulty, traced } from '../../helpers/faults.ts';
import { createWorld, typeSpec, type World } from '../../helpers/world.ts';

const narrow = typeSpec('echo', { concurrency: 1 });
const LANE = { tenant: 'a', type: 'echo' };

/** A lane of one permit, which `busy` holds until it is ended. */
async function busyLane(started: string[] = []) {
  const runs: (() => Promise<void>)[] = [];
  const world = createWorld({
    types: [narrow],
    handlers: { echo: ({ sluice }) => void started.push(sluice.task) },
    launch: (run) => void runs.push(run),
  });
  await world.submit('a', { type: 'echo', id: 'busy' });
  await world.dispatchOnce();
  const endRuns = async () => {
    for (const run of runs.splice(0)) await run();
    await world.settleOnce();
  };
  return { world, endRuns };
}

const states = (world: World) => Object.fromEntries(world.tasks.rows().map((row) => [row.id, row.state]));

describe('a lane', () => {
  // As many items are read as there are permits: one whose every look fails must not stay in front of the others, nor keep the
  // permit of a claim that failed, whose attempt is never started.
  it('is not held up by one task that fails every call about it', async () => {
    const { world, endRuns } = await busyLane();
    await world.submit('a', { type: 'echo', id: 'poison', priority: 'high' }, { type: 'echo', id: 'fine' });
    await world.dispatchOnce();
    await endRuns();
    const ports = faulty(world.deps, ({ at, args }) => (/tasks\.(get|update)/.test(at) && args[1] === 'poison' ? 'fail' : 'none'));
    for (let i = 0; i < 40; i++) {
      await world.dispatchOnce(ports);
      await endRuns();
      world.clock.advance(10_000);
      if (i % 6 === 5) await world.tick(ports);
    }
    expect(states(world)).toMatchObject({ fine: 'succeeded' });
  });

  // Once its message was acted on, the item is nobody's business, in a lane that may never fill again.
  it('keeps nothing of a parking that died before its flag', async () => {
    const { world, endRuns } = await busyLane();
    await world.submit('a', { type: 'echo', id: 't1' });
    await world.dispatchOnce(faultAt(world.deps, 'permits.raise', 'die')).catch(() => undefined);
    await endRuns();
    for (let i = 0; i < 20; i++) {
      world.clock.advance(60_000);
      await world.tick();
      await world.dispatchOnce();
      await endRuns();
    }
    expect(states(world)).toEqual({ busy: 'succeeded', t1: 'succeeded' });
    expect(await world.deps.backlog.first(LANE, 10)).toEqual([]);
  });

  it('with nothing to do is drained in one look', async () => {
    const world = createWorld();
    let reads = 0;
    await drainLane(
      faulty(world.deps, ({ at }) => (at === 'backlog.first' && (reads += 1), 'none')),
      LANE,
      { noted: new Map(), deadline: world.clock.now() + 60_000 },
    );
    expect(reads).toBe(1);
  });
});

describe('one bad task among good ones', () => {
  // A message that is kept for one of its tasks is received again and again; its other tasks must not be hinted each time.
  it('does not multiply their hints', async () => {
    const world = createWorld({ types: [typeSpec('echo'), typeSpec('gone')] });
    const [, second] = await world.submitBy(
      faultAt(world.deps, 'tasks.insert', 'fail', 2),
      'a',
      { type: 'gone', id: 't1' },
      { type: 'echo', id: 't2' },
    );
    expect(second).toMatchObject({ ok: false });
    await world.types.remove('gone');
    // One message names both; for a minute it is kept for the second, which has no row.
    for (let s = 0; s < 600; s += 2) {
      await world.dispatchOnce();
      world.clock.advance(2_000);
    }
    expect(world.queue.bodies().filter((body) => body.includes('"id":"t1"')).length).toBeLessThanOrEqual(2);
  });

  // What a message is kept for is hinted anew, so that it counts as received for the first time: its row is not read
  // first, and each round takes a permit and makes a lease-end hint for a task that is not there. `endOfMessage` has to
  // mark these hints to be looked at first, as `lease` does.
  it('are not claimed anew each time that they are looked for', async () => {
    const world = createWorld();
    const dying = faulty(world.deps, ({ at }) => (at === 'tasks.insert' ? 'fail' : 'none'));
    await world.submitBy(dying, 'a', { type: 'echo', id: 't1' }, { type: 'echo', id: 't2' });
    const { deps, calls } = traced(world.deps);
    for (let s = 0; s < 70; s += 2) {
      await world.dispatchOnce(deps);
      world.clock.advance(2_000);
    }
    expect(calls.filter((call) => call.at === 'permits.acquire').length).toBeLessThanOrEqual(2);
  });

  // A cell that fails must not bring back the records of every other tenant in its batch.
  it('does not hold back the effects of other tenants', async () => {
    const world = createWorld({
      types: [typeSpec('echo', { retry: { maxAttempts: 1, minDelaySeconds: 0, maxDelaySeconds: 0, factor: 1 } })],
      handlers: {
        echo: () => {
          throw new Error('no');
        },
      },
    });
    await world.submit('a', { type: 'echo', id: 't1' });
    await world.submit('b', { type: 'echo', id: 't1' });
    await world.dispatchOnce();
    await world.starter.idle();
    await world.settleOnce(
      faulty(world.deps, ({ at, args }) => (at === 'permits.release' && (args[0] as { tenant: string }).tenant === 'a' ? 'fail' : 'none')),
    );
    expect(world.events.events().map((event) => event.tenant)).toContain('b');
    expect(world.records.map((record) => record.body.includes('"tenant":"a"'))).toEqual([true]);
  });

  it('a task whose payload is gone for good ends', async () => {
    const world = createWorld({ handlers: { echo: () => 'ok' } });
    await world.submit('a', { type: 'echo', id: 't1', payload: 'x'.repeat(1_000) });
    const empty = createWorld();
    const ports = { ...world.deps, values: empty.deps.values };
    for (let i = 0; i < 200; i++) {
      await world.dispatchOnce(ports);
      world.clock.advance(31_000);
    }
    expect(await world.row('a', 't1')).toMatchObject({ state: 'failed', reason: 'payload_lost', attempts: 0 });
    expect(world.events.events()[0]).toMatchObject({ state: 'failed', reason: 'payload_lost' });
    expect(await world.held('a', 'echo')).toBe(0);
  });
});

describe('the audit', () => {
  const DAY = 86_400_000;
  const report = (world: World) => audit(world.deps, { deadline: world.clock.now() + 60_000, paceMs: 0 });

  it('hints what a purged queue has lost, and nothing else', async () => {
    const { world } = await busyLane();
    await world.submit('a', { type: 'echo', id: 'parked' }, { type: 'echo', id: 'far', delaySeconds: 3 * 86_400 });
    await world.dispatchOnce();
    await world.submit('a', { type: 'echo', id: 'lost' });
    world.clock.advance(200_000);
    for (const message of await world.queue.receive(10)) await world.queue.remove(message.receipt);
    world.clock.advance(DAY - 200_001);
    expect(await report(world)).toEqual({ scanned: 4, found: 0, complete: true });
    world.clock.advance(1_000_000);
    // `busy` runs, and the hint of its lease end was purged too.
    expect(await report(world)).toEqual({ scanned: 4, found: 2, complete: true });
    expect(
      world.queue
        .bodies()
        .flatMap((body) => /"id":"(\w+)"/.exec(body)?.[1] ?? [])
        .sort(),
    ).toEqual(['busy', 'lost']);
  });

  it('says so when it ran out of time', async () => {
    const world = createWorld();
    expect(await audit(world.deps, { deadline: world.clock.now() - 1 })).toMatchObject({ complete: false });
  });

  // Such a task is looked at each minute but never written; each audit would add one more hint that goes round.
  it('finds nothing where tasks wait for their type to be deployed', async () => {
    const world = createWorld();
    await world.submit('a', { type: 'echo', id: 't1' });
    await world.types.remove('echo');
    for (let m = 0; m < 25 * 60; m += 5) {
      await world.dispatchOnce();
      world.clock.advance(300_000);
    }
    expect(await report(world)).toMatchObject({ found: 0 });
  });
});

it('a late success of an old generation is told with what belongs to it', async () => {
  const runs: (() => Promise<void>)[] = [];
  const world = createWorld({
    types: [typeSpec('echo', { retry: { maxAttempts: 1, minDelaySeconds: 0, maxDelaySeconds: 0, factor: 1 } })],
    handlers: { echo: () => 'ok' },
    launch: (run) => void runs.push(run),
  });
  await world.submit('a', { type: 'echo', id: 't1', labels: { of: 'the first' } });
  await world.dispatchOnce();
  await runs[0]?.();
  const [success] = world.records.splice(0);
  if (!success) throw new Error('no record');
  world.records.push({ messageId: 'f', body: success.body.replace('"condition":"Success"', '"condition":"RetriesExhausted"') });
  await world.settleOnce();
  await world.submit('a', { type: 'echo', id: 't1', labels: { of: 'the second' } });
  world.records.push(success);
  await world.settleOnce();
  expect(world.events.events().at(-1)).toMatchObject({ state: 'late_success' });
  expect(world.events.events().at(-1)).not.toHaveProperty('labels');
});
