import { marshall } from '@aws-sdk/util-dynamodb';
import { LIMITS, type TaskRow } from '@sluice/contracts';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createBacklogStore } from '../../../adapters/aws/backlog-store.ts';
import { countCalls, type CallCounter } from '../../../adapters/aws/counting.ts';
import { createPermitStore } from '../../../adapters/aws/permit-store.ts';
import { itemOfRow } from '../../../adapters/aws/task-item.ts';
import { createTaskStore } from '../../../adapters/aws/task-store.ts';
import { createMemoryClock } from '../../../adapters/memory/clock.ts';
import { createMemoryRandom } from '../../../adapters/memory/random.ts';
import { createMemoryTelemetry } from '../../../adapters/memory/telemetry.ts';
import { systemRandom } from '../../../adapters/system.ts';
import { claimRates } from '../../../core/limits/gcra.ts';
import { windowOf } from '../../../core/limits/rate-share.ts';
import { PERMITS_PER_CELL } from '../../../core/permits/cells.ts';
import { A, makeHinted, makePermits, makeRow, makeRun, NOW } from '../../contract/fixtures.ts';
import { startDynamo, type Dynamo } from '../../contract/servers.ts';

const counter: CallCounter = new Map();
const random = createMemoryRandom();
const telemetry = createMemoryTelemetry();
let dynamo: Dynamo;
let table: string;
beforeAll(async () => {
  dynamo = await startDynamo();
  countCalls(dynamo.clients.dynamodb, counter);
});
beforeEach(async () => {
  table = await dynamo.newTable();
  counter.clear();
});
afterAll(() => dynamo.stop());

const written = (): number => [...counter.values()].reduce((sum, { writeUnits }) => sum + writeUnits, 0);
const makeStore = (listIndex: boolean) =>
  createTaskStore(dynamo.clients.dynamodb, { table, listIndex, clock: createMemoryClock(NOW), telemetry });

/** A row of an ordinary length of names with the largest payload that rows hold, as it is at its fullest. */
const fullRow = (): TaskRow =>
  makeRow({
    tenant: 'team-payments-production',
    id: 'invoice:2026-05-01:customer-0012345678:attempt-1',
    type: 'generate-invoice-pdf',
    payload: { in: 'row', json: JSON.stringify('x'.repeat(398)) },
    seq: 12,
    fence: 11,
    state: 'succeeded',
    run: makeRun({ nonce: random.nonce() }),
    firstClaimAt: NOW,
    startedAt: NOW,
    endedAt: NOW,
    endedBy: 'record',
    attempts: 3,
    again: 'retry',
    ttl: Math.floor(NOW / 1000),
  });

describe('a row with 400 bytes of payload', () => {
  it('is at most 1 KB, with all that its life adds but errors, labels and results', () => {
    expect(JSON.stringify('x'.repeat(398))).toHaveLength(400);
    expect(sizeOf(itemOfRow(fullRow(), true))).toBeLessThanOrEqual(1024);
  });

  it.each([
    ['without', false, 1],
    ['with', true, 2],
  ])('%s the list index costs %s: its acceptance; its claim and its end cost one each', async (_, listIndex, units) => {
    const store = makeStore(listIndex);
    const row = { ...fullRow(), state: 'waiting', seq: 0, run: undefined } as const;
    await store.insert(row);
    expect(written()).toBe(units);
    const claim = await store.update(row.tenant, row.id, row, { set: { state: 'running', run: makeRun() } });
    expect(written()).toBe(units + 1);
    const end = { set: { state: 'succeeded', endedAt: NOW } } as const;
    await store.update(row.tenant, row.id, { uid: row.uid, seq: claim.row?.seq ?? 0 }, end);
    expect(written()).toBe(units + 2);
  });

  it('costs one more where it fails, for the index of failures, and once a day and type one for the note of it', async () => {
    const store = makeStore(false);
    const fail = async (id: string) => {
      const row = makeRow({ id });
      await store.insert(row);
      await store.update(A, row.id, row, { set: { state: 'failed', type: row.type } });
    };
    await fail('first');
    expect(written()).toBe(4);
    await fail('second');
    expect(written()).toBe(7);
  });
});

describe('counting', () => {
  it('counts calls, units and lost conditions by operation', async () => {
    const store = makeStore(false);
    const row = makeRow();
    await store.insert(row);
    await store.insert(row);
    await store.get(A, row.id);
    // The lost insert is billed, and read again: dynalite does not say what it lost to.
    expect(counter.get('PutItem')).toEqual({ calls: 2, writeUnits: 2, readUnits: 0 });
    expect(counter.get('GetItem')).toEqual({ calls: 2, writeUnits: 0, readUnits: 2 });
  });

  it('counts what the SDK repeats', async () => {
    dynamo.loseNextAnswer();
    await makeStore(false).get(A, 'x');
    expect(counter.get('GetItem')?.calls).toBe(2);
  });
});

describe('a lane', () => {
  const lane = { tenant: 'team-payments-production', type: 'generate-invoice-pdf' };

  it('takes and gives back ten permits for one unit each time', async () => {
    const store = createPermitStore(dynamo.clients.dynamodb, { table });
    const permits = makePermits(10);
    await store.acquire(lane, 0, permits, 10);
    await store.release(lane, 0, permits);
    expect(written()).toBe(2);
    expect(counter.size).toBe(1);
  });

  it.each([
    { parts: 0, names: 1 },
    // Two windows of its resources' rates beside those of its own: names that are less than half as long as they may be.
    { parts: 2, names: 0.45 },
  ])(
    'with all the permits that it may have, a budget, both flags, a limit of its own, a share and rates fits one unit: %j',
    async (over) => {
      const lane = { tenant: 't'.repeat(over.names * LIMITS.tenantLength), type: 'y'.repeat(over.names * LIMITS.typeLength) };
      const store = createPermitStore(dynamo.clients.dynamodb, { table });
      const mark = { at: NOW, firsts: 12_345_678, retries: 1_234_567 };
      for (const of of ['permits', 'budget'] as const) {
        await store.raise(lane, 0, of);
        await store.clear(lane, 0, 1, of);
      }
      // Names as long as those that are given out.
      const [first, ...rest] = makePermits(PERMITS_PER_CELL).map((permit) => ({ ...permit, nonce: systemRandom.nonce() }));
      const within = { seen: undefined, base: mark, next: mark, most: 9_999_999 };
      await store.acquire(lane, 0, first ? [first] : [], PERMITS_PER_CELL, { firsts: 12_345_678, retries: 1_234_567, within });
      const seen = await store.release(lane, 0, makePermits(1), { aliveAt: NOW, good: 123_456_789, held: 123_456_789_012 });
      const counts = {
        top: PERMITS_PER_CELL,
        step: 20,
        round: 123_456_789,
        flight: 40,
        late: 39,
        good: 123_456_789,
        slow: 999,
        pause: 30_000,
        base: 60_000,
        spent: 123_456_789_012,
        most: 10_000,
      };
      await store.adapt(lane, 0, { limit: PERMITS_PER_CELL, since: NOW, lag: 60_000, cutAt: NOW, at: NOW, ...counts }, seen, 250);
      await store.setShare(lane, 0, { version: NOW, share: PERMITS_PER_CELL, cells: 250 });
      await store.wake(lane, NOW + 900_000, NOW);
      const rates = [
        { limit: 1_000, perSeconds: 60 },
        { limit: 5_000, perSeconds: 3_600 },
      ];
      const windows = [1, 3_600].slice(0, over.parts).map((perSeconds) => windowOf({ limit: 12_345, perSeconds }, 12_000, NOW));
      if (windows.length > 0) await store.setRates(lane, { version: 1_234_567, windows }, await store.read(lane, 0));
      const { steps } = claimRates(rates, [], rest.length, NOW, windows);
      expect(steps).toHaveLength(2 + over.parts);
      counter.clear();
      await store.acquire(lane, 0, rest, PERMITS_PER_CELL, { firsts: rest.length, retries: 0 }, { rates: steps });
      expect(written()).toBe(1);
    },
  );

  it('puts a task into its backlog and takes it out for one unit each time', async () => {
    const store = createBacklogStore(dynamo.clients.dynamodb, { table, random, telemetry });
    const tasks = Array.from({ length: 30 }, () => makeHinted());
    await store.put(lane, tasks);
    await store.remove(lane, tasks);
    expect(counter.get('BatchWriteItem')).toEqual({ calls: 4, writeUnits: 60, readUnits: 0 });
  });
});

/** The size that DynamoDB bills: names and values, 3 bytes and 1 for each element of a map, numbers by their digits. */
function sizeOf(item: object): number {
  const valueSize = (value: object): number => {
    const [[kind, inner]] = Object.entries(value) as [[string, unknown]];
    if (kind === 'S') return Buffer.byteLength(String(inner));
    if (kind === 'N') return Math.ceil(String(inner).replace(/0+$/, '').length / 2) + 1;
    if (kind === 'M') {
      return Object.entries(inner as object).reduce(
        (sum, [name, member]) => sum + 1 + Buffer.byteLength(name) + valueSize(member as object),
        3,
      );
    }
    return 1;
  };
  return Object.entries(marshall(item, { removeUndefinedValues: true })).reduce(
    (sum, [name, value]) => sum + Buffer.byteLength(name) + valueSize(value),
    0,
  );
}
