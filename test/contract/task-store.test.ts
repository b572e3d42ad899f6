import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { taskPartition } from '../../adapters/aws/keys.ts';
import { createLastingTaskStore } from '../../adapters/aws/lasting-stores.ts';
import { createMemoryClock } from '../../adapters/memory/clock.ts';
import { createMemoryTaskStore } from '../../adapters/memory/task-store.ts';
import { createMemoryTelemetry } from '../../adapters/memory/telemetry.ts';
import type { LastingTaskStore } from '../../core/ports/task-store.ts';
import { A, B, makeAttempt, makeRow, makeRun, NOW } from './fixtures.ts';
import { startDynamo, type Dynamo } from './servers.ts';
import { taskStoreContract } from './task-store.ts';

let dynamo: Dynamo;
let table: string;
beforeAll(async () => {
  dynamo = await startDynamo();
});
afterAll(() => dynamo.stop());

const make = async (listIndex = true): Promise<LastingTaskStore> => {
  table = await dynamo.newTable();
  const clock = createMemoryClock(NOW);
  const telemetry = createMemoryTelemetry();
  return createLastingTaskStore(dynamo.clients.dynamodb, { table, listIndex, clock, telemetry, scanPageSize: 7 });
};

taskStoreContract('memory', async () => createMemoryTaskStore({ pageSize: 7 }));
taskStoreContract('DynamoDB', make);

describe('task store on DynamoDB', () => {
  const index = async (name: 'list' | 'dead', partition: string): Promise<readonly unknown[]> => {
    const answer = await dynamo.clients.dynamodb.send(
      new QueryCommand({
        TableName: table,
        IndexName: name,
        KeyConditionExpression: `${name === 'list' ? 'lp' : 'dp'} = :p`,
        ExpressionAttributeValues: { ':p': partition },
      }),
    );
    return (answer.Items ?? []).map((item): unknown => item['p']);
  };
  const indexed = async (name: 'list' | 'dead', prefix: string): Promise<readonly unknown[]> =>
    (await Promise.all([0, 1, 2, 3].map((shard) => index(name, `${prefix}#${shard}`)))).flat();

  it('lists rows by tenant and day of acceptance, and only where the index is on', async () => {
    const store = await make();
    await store.insert(makeRow());
    await store.insert(makeRow({ tenant: B }));
    expect(await indexed('list', `${A}#20260501`)).toEqual([`T#${A}#order-1`]);
    const off = await make(false);
    await off.insert(makeRow());
    expect(await indexed('list', `${A}#20260501`)).toEqual([]);
  });

  it('lists failures by tenant, type and day, until the id is taken anew', async () => {
    const store = await make();
    const row = makeRow();
    await store.insert(row);
    await store.insert(makeRow({ tenant: B }));
    const failed = await store.update(A, row.id, row, { set: { state: 'failed', endedAt: NOW + 86_400_000 } });
    expect(await indexed('dead', `${A}#thumbnail#20260502`)).toEqual([`T#${A}#order-1`]);
    expect(await indexed('dead', `${B}#thumbnail#20260502`)).toEqual([]);
    expect(await indexed('list', `${A}#20260501`)).toEqual([`T#${A}#order-1`]);
    await store.replace(makeRow(), { uid: row.uid, seq: failed.row?.seq ?? 0 });
    expect(await indexed('dead', `${A}#thumbnail#20260502`)).toEqual([]);
  });

  it('gives attempts that would go too soon another time to live, and no others', async () => {
    const store = await make();
    const [soon, late, other] = [makeAttempt(), makeAttempt({ fence: 2 }), makeAttempt()];
    await store.putAttempt(A, 'x', soon, 1_900_000_000);
    await store.putAttempt(A, 'x', { ...late, uid: soon.uid }, 1_900_000_060);
    await store.putAttempt(A, 'x', other, 1_900_000_000);
    await store.keepAttempts(A, 'x', soon.uid, 1_900_000_050, 1_900_000_100);
    const { Items: items = [] } = await dynamo.clients.dynamodb.send(
      new QueryCommand({ TableName: table, KeyConditionExpression: 'p = :p', ExpressionAttributeValues: { ':p': taskPartition(A, 'x') } }),
    );
    const of = (uid: string) => items.filter((item) => item['uid'] === uid).map(({ fence, ttl }): unknown => [fence, ttl]);
    expect(of(soon.uid)).toEqual([
      [1, 1_900_000_100],
      [2, 1_900_000_060],
    ]);
    expect(of(other.uid)).toEqual([[1, 1_900_000_000]]);
  });

  it('shows a write whose answer was lost on the wire as lost to itself', async () => {
    const store = await make();
    const row = makeRow();
    dynamo.loseNextAnswer();
    expect(await store.insert(row)).toEqual({ applied: false, row });
    const run = makeRun();
    dynamo.loseNextAnswer();
    expect(await store.update(A, row.id, row, { set: { run } })).toMatchObject({ applied: false, row: { seq: 1, run } });
  });
});

describe('task stores', () => {
  it('answer the same to any history of calls', async () => {
    const step = fc.record({
      tenant: fc.constantFrom(A, B),
      id: fc.constantFrom('x', 'y'),
      generation: fc.constantFrom(0, 1),
      seq: fc.integer({ min: 0, max: 2 }),
      call: fc.constantFrom('insert', 'replace', 'update', 'update', 'get'),
      state: fc.constantFrom('waiting', 'running', 'failed'),
      remove: fc.subarray(['error', 'run', 'startedAt'] as const),
      once: fc.integer({ min: 1, max: 3 }),
    });
    const uids = [makeRow().uid, makeRow().uid];
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 15 }), async (steps) => {
        const stores = [createMemoryTaskStore(), await make()];
        for (const { tenant, id, generation, seq, call, state, remove, once } of steps) {
          const version = { uid: uids[generation] ?? '', seq };
          const row = makeRow({ tenant, id, uid: uids[1 - generation] ?? '', hash: 'h', startedAt: once });
          const run = makeRun({ nonce: 'n' });
          const answers = stores.map((store) => {
            if (call === 'insert') return store.insert(row);
            if (call === 'replace') return store.replace(row, version);
            if (call === 'get') return store.get(tenant, id);
            const set = { state: state as 'waiting', run: remove.includes('run') ? undefined : run };
            const setOnce = { firstClaimAt: once };
            return store.update(tenant, id, version, { set, setOnce, remove });
          });
          const [memory, aws] = await Promise.all(answers);
          expect(aws).toEqual(memory);
        }
      }),
      { numRuns: 25 },
    );
  });
});
