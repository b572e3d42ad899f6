import { PRIORITIES, type Priority } from '@sluice/contracts';
import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cellKey } from '../../adapters/aws/keys.ts';
import { createPermitStore } from '../../adapters/aws/permit-store.ts';
import { createMemoryPermitStore } from '../../adapters/memory/permit-store.ts';
import type { PermitStore } from '../../core/ports/permit-store.ts';
import { A, makePermits } from './fixtures.ts';
import { permitLimitsContract } from './permit-limits.ts';
import { permitRatesContract } from './permit-rates.ts';
import { permitStoreContract } from './permit-store.ts';
import { startDynamo, type Dynamo } from './servers.ts';

let dynamo: Dynamo;
beforeAll(async () => {
  dynamo = await startDynamo();
});
afterAll(() => dynamo.stop());

const make = async (): Promise<PermitStore> => createPermitStore(dynamo.clients.dynamodb, { table: await dynamo.newTable() });

for (const contract of [permitStoreContract, permitLimitsContract, permitRatesContract]) {
  contract('memory', async () => createMemoryPermitStore());
  contract('DynamoDB', make);
}

const T0 = 1_767_225_600_000;
const LANE = { tenant: A, type: 'thumbnail' };

describe('permit store on DynamoDB', () => {
  it('reads a cell that was written before it knew of limits, and one of a later version', async () => {
    const table = await dynamo.newTable();
    const store = createPermitStore(dynamo.clients.dynamodb, { table });
    const key = cellKey(LANE, 0);
    const old = { ...key, permits: new Set(['t8r3k0|AbCdEfGh']), raised: 2, cleared: 1, f: 7, ok: 1_767_225_600 };
    await dynamo.clients.dynamodb.send(new PutCommand({ TableName: table, Item: old }));
    const cell = await store.read(LANE, 0);
    expect(cell).toEqual({
      permits: [{ expiry: Number.parseInt('t8r3k0', 36) * 1000, nonce: 'AbCdEfGh' }],
      raised: 2,
      cleared: 1,
      budget: { firsts: 7, retries: 0 },
      aliveAt: 1_767_225_600_000,
    });
    expect((await store.acquire(LANE, 0, makePermits(3), 4)).granted).toBe(true);
    const numbers = {
      top: 20,
      step: 1,
      round: 9,
      since: 1_767_225_600_000,
      lag: 5,
      cutAt: 1,
      flight: 2,
      late: 3,
      at: 4,
      good: 6,
      slow: 7,
      pause: 8,
      base: 10,
      spent: 11,
      most: 12,
    };
    await store.adapt(LANE, 0, { limit: 12, ...numbers }, await store.read(LANE, 0));
    const before = 'k.1.9.mjuohs00.5.1.2.3.4.6.7.8';
    const text = `${before}.a.b.c`;
    const { Item } = await dynamo.clients.dynamodb.send(new GetCommand({ TableName: table, Key: key }));
    expect(Item).toMatchObject({ al: 12, ai: text });
    await dynamo.clients.dynamodb.send(new PutCommand({ TableName: table, Item: { ...key, al: 12, ai: `${text}.zz.1` } }));
    expect((await store.read(LANE, 0)).aimd).toEqual({ limit: 12, ...numbers });
    // What a version wrote that knew nothing of hold times.
    await dynamo.clients.dynamodb.send(new PutCommand({ TableName: table, Item: { ...key, al: 12, ai: before } }));
    expect((await store.read(LANE, 0)).aimd).toEqual({ limit: 12, ...numbers, base: 0, spent: 0, most: 0 });
    await dynamo.clients.dynamodb.send(new PutCommand({ TableName: table, Item: { ...key, al: 12, ai: 'what is this' } }));
    expect((await store.read(LANE, 0)).aimd).toBeUndefined();
  });

  it('grants once what was granted and whose answer was lost on the wire', async () => {
    const store = await make();
    const permits = makePermits(2);
    dynamo.loseNextAnswer();
    expect((await store.acquire(LANE, 0, permits, 2)).granted).toBe(true);
    expect((await store.read(LANE, 0)).permits).toHaveLength(2);
    dynamo.loseNextAnswer();
    expect((await store.release(LANE, 0, permits)).permits).toEqual([]);
  });
});

describe('permit stores', () => {
  it('answer the same to any history of calls', async () => {
    const pool = makePermits(5);
    const step = fc.record({
      call: fc.constantFrom('acquire', 'acquire', 'release', 'raise', 'clear'),
      permits: fc.subarray([...pool]),
      limit: fc.integer({ min: 0, max: 5 }),
      classes: fc.subarray([...PRIORITIES]),
      ask: fc.option(
        fc.record(
          {
            seen: fc.subarray([...PRIORITIES]),
            now: fc.constantFrom(T0, T0 + 1_000, T0 + 2_000),
            turns: fc.integer({ min: 1, max: 3 }),
            reserve: fc.record({
              for: fc.subarray<Priority>(['high', 'normal'], { minLength: 1 }),
              since: fc.constantFrom(T0 + 1_000, T0 + 2_000),
              limit: fc.integer({ min: 0, max: 4 }),
            }),
            behind: fc.record({ of: fc.subarray([...PRIORITIES], { minLength: 1 }), limit: fc.integer({ min: 0, max: 4 }) }),
          },
          { requiredKeys: ['seen', 'now'] },
        ),
        { nil: undefined },
      ),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 15 }), async (steps) => {
        const stores = [createMemoryPermitStore(), await make()];
        for (const { call, permits, limit, classes, ask } of steps) {
          const views = stores.map(async (store) => {
            const granted =
              call === 'acquire' && (await store.acquire(LANE, 0, permits, limit, undefined, { ...(ask && { classes: ask }) })).granted;
            if (call === 'release') await store.release(LANE, 0, permits);
            if (call === 'raise') await store.raise(LANE, 0, 'permits', classes);
            if (call === 'clear') await store.clear(LANE, 0, limit);
            const cell = await store.read(LANE, 0);
            return { granted, ...cell, permits: cell.permits.map(({ nonce }) => nonce).sort() };
          });
          const [memory, aws] = await Promise.all(views);
          expect(aws).toEqual(memory);
        }
      }),
      { numRuns: 60 },
    );
  });
});
