import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createBacklogStore } from '../../adapters/aws/backlog-store.ts';
import { backlogPartition } from '../../adapters/aws/keys.ts';
import { createMemoryBacklogStore } from '../../adapters/memory/backlog-store.ts';
import { createMemoryRandom } from '../../adapters/memory/random.ts';
import { createMemoryTelemetry } from '../../adapters/memory/telemetry.ts';
import { backlogStoreContract } from './backlog-store.ts';
import { A, makeHinted, NOW } from './fixtures.ts';
import { startDynamo, type Dynamo } from './servers.ts';

let dynamo: Dynamo;
beforeAll(async () => {
  dynamo = await startDynamo();
});
afterAll(() => dynamo.stop());

const make = async () => {
  const table = await dynamo.newTable();
  const telemetry = createMemoryTelemetry();
  const store = createBacklogStore(dynamo.clients.dynamodb, { table, random: createMemoryRandom(), telemetry });
  return { table, telemetry, store };
};

backlogStoreContract('memory', async () => createMemoryBacklogStore());
backlogStoreContract('DynamoDB', async () => (await make()).store);

describe('backlog store on DynamoDB', () => {
  it('logs an item that cannot be read, and gives the others', async () => {
    const { store, table, telemetry } = await make();
    const lane = { tenant: A, type: 'thumbnail' };
    const broken = { p: backlogPartition(lane, 0), s: '0#000000000000001#X#0000000000', hint: { nothing: true } };
    await dynamo.clients.dynamodb.send(new PutCommand({ TableName: table, Item: broken }));
    const task = makeHinted();
    await store.put(lane, [task]);
    expect(await store.first(lane, 10)).toEqual([task]);
    expect(telemetry.lines()).toMatchObject([{ level: 'error', fields: { tenant: A, key: broken.s } }]);
  });

  it('notes a lane though the answer is lost on the wire', async () => {
    const { store } = await make();
    dynamo.loseNextAnswer();
    await store.register({ tenant: A, type: 'thumbnail' }, NOW);
    expect(await store.lanes()).toHaveLength(1);
  });
});
