import { PRIORITIES, type Priority } from '@sluice/contracts';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPermitStore } from '../../adapters/aws/permit-store.ts';
import { createMemoryPermitStore } from '../../adapters/memory/permit-store.ts';
import type { PermitStore } from '../../core/ports/permit-store.ts';
import { A, makePermits } from './fixtures.ts';
import { permitStoreContract } from './permit-store.ts';
import { startDynamo, type Dynamo } from './servers.ts';

let dynamo: Dynamo;
beforeAll(async () => {
  dynamo = await startDynamo();
});
afterAll(() => dynamo.stop());

const make = async (): Promise<PermitStore> => createPermitStore(dynamo.clients.dynamodb, { table: await dynamo.newTable() });

permitStoreContract('memory', async () => createMemoryPermitStore());
permitStoreContract('DynamoDB', make);

const T0 = 1_767_225_600_000;
const LANE = { tenant: A, type: 'thumbnail' };

describe('permit store on DynamoDB', () => {
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
            classes: fc.subarray([...PRIORITIES]),
            now: fc.constantFrom(T0, T0 + 1_000, T0 + 2_000),
            turns: fc.integer({ min: 1, max: 3 }),
            reserve: fc.record({
              for: fc.subarray<Priority>(['high', 'normal'], { minLength: 1 }),
              since: fc.constantFrom(T0 + 1_000, T0 + 2_000),
              limit: fc.integer({ min: 0, max: 4 }),
            }),
            behind: fc.record({ of: fc.subarray([...PRIORITIES], { minLength: 1 }), limit: fc.integer({ min: 0, max: 4 }) }),
          },
          { requiredKeys: ['classes', 'now'] },
        ),
        { nil: undefined },
      ),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 15 }), async (steps) => {
        const stores = [createMemoryPermitStore(), await make()];
        for (const { call, permits, limit, classes, ask } of steps) {
          const views = stores.map(async (store) => {
            const granted = call === 'acquire' && (await store.acquire(LANE, 0, permits, limit, undefined, ask)).granted;
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
