import type { HintMessage, TaskRow } from '@sluice/contracts';
import { beforeEach, describe, expect, it } from 'vitest';
import { deliveryId, submitDeliveries, type DueDelivery } from '../../../core/notify/submit-deliveries.ts';
import { before, faultAt, traced } from '../../helpers/faults.ts';
import { rowOf, T0 } from '../../helpers/samples.ts';
import { createWorld, typeSpec, type World } from '../../helpers/world.ts';

const row: TaskRow = rowOf({ state: 'failed', endedAt: T0 });
const delivery: DueDelivery = { row, to: { queue: 'ends' } };
const id = deliveryId(row, 'queue');
const LATE_MS = 31_000;

let world: World;
beforeEach(() => {
  world = createWorld({ types: [typeSpec('echo'), typeSpec('sluice.notify')] });
});
/** Hints of the delivery that rest in queues, by the generation that they name. */
const hinted = () =>
  world.queue
    .bodies()
    .map((body) => JSON.parse(body) as HintMessage)
    .flatMap((message) => (message.kind === 'tasks' ? message.tasks.filter((task) => task.id === id).map(({ uid }) => uid) : []));
const stored = () => world.row(row.tenant, id);

describe('a delivery is submitted as any task is', () => {
  it('its hint first, then its row', async () => {
    const { deps, calls } = traced(world.deps);
    expect(await submitDeliveries(deps, [delivery])).toEqual(new Map());
    expect(calls.map(({ at }) => at).filter((at) => at !== 'timer.sleep')).toEqual(['queue.send', 'tasks.insert']);
    expect(hinted()).toEqual([(await stored()).uid]);
  });

  it('and hinted again before a row that comes late, which could meet a hint that has been dropped', async () => {
    const { deps, calls } = traced(world.deps);
    await submitDeliveries(
      before(deps, 'queue.send', () => world.clock.advance(LATE_MS)),
      [delivery],
    );
    expect(calls.map(({ at }) => at)).toEqual(['queue.send', 'queue.send', 'tasks.insert']);
    expect(hinted()).toHaveLength(2);
  });

  it('and after a row that is confirmed late', async () => {
    await submitDeliveries(
      before(world.deps, 'tasks.insert', () => world.clock.advance(LATE_MS)),
      [delivery],
    );
    expect(hinted()).toHaveLength(2);
  });

  it('once: a repeat hints what is under way, and nothing that has ended', async () => {
    await submitDeliveries(world.deps, [delivery]);
    const { uid, seq } = await stored();
    await submitDeliveries(world.deps, [delivery]);
    expect((await stored()).uid).toBe(uid);
    // The repeat's own hint names a generation that never came to be; the other one names what is there.
    expect(hinted().filter((each) => each === uid)).toHaveLength(2);
    await world.tasks.update(row.tenant, id, { uid, seq }, { set: { state: 'failed' } });
    const sent = hinted().filter((each) => each === uid).length;
    await submitDeliveries(world.deps, [delivery]);
    expect(hinted().filter((each) => each === uid)).toHaveLength(sent);
    expect(await stored()).toMatchObject({ uid, state: 'failed' });
  });

  it('and is the same where it is told twice that its own row is there', async () => {
    expect([...(await submitDeliveries(faultAt(world.deps, 'tasks.insert', 'ambiguous'), [delivery])).keys()]).toEqual([delivery]);
    const { uid } = await stored();
    expect(await submitDeliveries(world.deps, [delivery])).toEqual(new Map());
    expect((await stored()).uid).toBe(uid);
  });

  it('and holds nothing back when another one fails', async () => {
    const other: DueDelivery = { row, to: { webhook: 'https://hooks.example.com/' } };
    const failed = await submitDeliveries(faultAt(world.deps, 'tasks.insert', 'fail', 1), [delivery, other]);
    expect([...failed.keys()]).toEqual([delivery]);
    expect(await world.row(row.tenant, deliveryId(row, 'webhook'))).toMatchObject({ state: 'waiting' });
  });
});
