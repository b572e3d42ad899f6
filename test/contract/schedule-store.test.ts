import { afterAll, beforeAll, expect, it } from 'vitest';
import { createScheduleStore } from '../../adapters/aws/schedule-store.ts';
import { createMemoryScheduleStore } from '../../adapters/memory/schedule-store.ts';
import { A } from './fixtures.ts';
import { makeSchedule, scheduleStoreContract } from './schedule-store.ts';
import { startDynamo, type Dynamo } from './servers.ts';

let dynamo: Dynamo;
beforeAll(async () => {
  dynamo = await startDynamo();
});
afterAll(() => dynamo.stop());

const make = async () => createScheduleStore(dynamo.clients.dynamodb, { table: await dynamo.newTable() });

scheduleStoreContract('memory', async () => createMemoryScheduleStore());
scheduleStoreContract('DynamoDB', make);

it('knows its own write when the answer to it was lost', async () => {
  const store = await make();
  await store.put(A, makeSchedule(), undefined);
  dynamo.loseNextAnswer();
  expect(await store.put(A, makeSchedule({ seq: 2 }), 1)).toMatchObject({ applied: true, found: { seq: 2 } });
});
