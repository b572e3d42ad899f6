import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { countCalls, type CallCounter } from '../../adapters/aws/counting.ts';
import { createDeadList } from '../../adapters/aws/dead-list.ts';
import { deadPartition } from '../../adapters/aws/keys.ts';
import { createTaskStore } from '../../adapters/aws/task-store.ts';
import { createMemoryClock } from '../../adapters/memory/clock.ts';
import { createMemoryDeadList } from '../../adapters/memory/dead-list.ts';
import { createMemoryRandom } from '../../adapters/memory/random.ts';
import { createMemoryTaskStore } from '../../adapters/memory/task-store.ts';
import { createMemoryTelemetry } from '../../adapters/memory/telemetry.ts';
import { firstFailureKeyAt } from '../../core/tasks/failure-key.ts';
import { deadListContract } from './dead-list.ts';
import { A, makeRow, newUid, NOW } from './fixtures.ts';
import { startDynamo, type Dynamo } from './servers.ts';

let dynamo: Dynamo;
beforeAll(async () => {
  dynamo = await startDynamo();
});
afterAll(() => dynamo.stop());

const make = async () => {
  const table = await dynamo.newTable();
  const telemetry = createMemoryTelemetry();
  const { dynamodb } = dynamo.clients;
  const list = createDeadList(dynamodb, { table, random: createMemoryRandom(), telemetry });
  return { table, list, tasks: createTaskStore(dynamodb, { table, listIndex: true, clock: createMemoryClock(NOW), telemetry }) };
};

deadListContract('memory', async () => {
  const tasks = createMemoryTaskStore();
  return { tasks, list: createMemoryDeadList(tasks) };
});
deadListContract('DynamoDB', make);

it('a day of failures is noted once by each store, and never scanned for', async () => {
  const { list, tasks } = await make();
  const rows = Array.from({ length: 30 }, (_, n) => makeRow({ id: `t${n}` }));
  await Promise.all(rows.map((row) => tasks.insert(row)));
  const failed = (row: (typeof rows)[number]) => tasks.update(A, row.id, row, { set: { state: 'failed', endedAt: NOW, type: row.type } });
  await failed(rows[0] as (typeof rows)[number]);
  const counter: CallCounter = new Map();
  countCalls(dynamo.clients.dynamodb, counter);
  for (const row of rows.slice(1)) await failed(row);
  expect([...counter.keys()]).toEqual(['UpdateItem']);
  const [day] = await list.days(A, 0, NOW);
  expect((await list.newest(A, day ?? { day: 0, types: [] }, { after: firstFailureKeyAt(0), before: '~' }, 100)).tasks).toHaveLength(30);
  expect([...counter.keys()].toSorted()).toEqual(['Query', 'UpdateItem']);
});

it('a key of an earlier version, which has no time, is passed over', async () => {
  const { table, list } = await make();
  const uid = newUid();
  const item = { p: `T#${A}#old`, s: 'H', dp: deadPartition(A, 'thumbnail', NOW, uid), ds: uid };
  await dynamo.clients.dynamodb.send(new PutCommand({ TableName: table, Item: item }));
  const page = await list.newest(A, { day: NOW, types: ['thumbnail'] }, { after: firstFailureKeyAt(0), before: '~' }, 10);
  expect(page).toEqual({ tasks: [], exhausted: true });
});
