import { afterAll, beforeAll } from 'vitest';
import { createBacklogStore } from '../../adapters/aws/backlog-store.ts';
import { createLaneReadings } from '../../adapters/aws/lane-readings.ts';
import { createPermitStore } from '../../adapters/aws/permit-store.ts';
import {
  createMemoryBacklogStore,
  createMemoryLaneReadings,
  createMemoryPermitStore,
  createMemoryRandom,
  createMemoryTelemetry,
} from '../../adapters/memory/index.ts';
import { laneReadingsContract } from './lane-readings.ts';
import { startDynamo, type Dynamo } from './servers.ts';

let dynamo: Dynamo;
beforeAll(async () => {
  dynamo = await startDynamo();
});
afterAll(() => dynamo.stop());

laneReadingsContract('memory', async () => {
  const [permits, backlog] = [createMemoryPermitStore(), createMemoryBacklogStore()];
  return { permits, backlog, readings: createMemoryLaneReadings({ permits, backlog }) };
});

laneReadingsContract('DynamoDB', async () => {
  const [table, random, telemetry] = [await dynamo.newTable(), createMemoryRandom(), createMemoryTelemetry()];
  const { dynamodb } = dynamo.clients;
  return {
    permits: createPermitStore(dynamodb, { table }),
    backlog: createBacklogStore(dynamodb, { table, random, telemetry }),
    readings: createLaneReadings(dynamodb, { table, random }),
  };
});
