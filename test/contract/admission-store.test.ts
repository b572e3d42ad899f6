import { PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createAdmissionStore } from '../../adapters/aws/admission-store.ts';
import { admissionKey, reportKey } from '../../adapters/aws/keys.ts';
import { createMemoryAdmissionStore, createMemoryTelemetry } from '../../adapters/memory/index.ts';
import { admissionStoreContract, makeReport } from './admission-store.ts';
import { NOW } from './fixtures.ts';
import { startDynamo, type Dynamo } from './servers.ts';

let dynamo: Dynamo;
beforeAll(async () => {
  dynamo = await startDynamo();
});
afterAll(() => dynamo.stop());

const make = async () => {
  const [table, telemetry] = [await dynamo.newTable(), createMemoryTelemetry()];
  return { table, telemetry, store: createAdmissionStore(dynamo.clients.dynamodb, { table, telemetry }) };
};

admissionStoreContract('memory', async () => createMemoryAdmissionStore());
admissionStoreContract('DynamoDB', async () => (await make()).store);

it('what cannot be read is told, and stands for nothing', async () => {
  const { store, table, telemetry } = await make();
  await store.putReport(makeReport());
  const items = [
    { ...reportKey('env-2', NOW + 5_000), json: '{"v":9}' },
    { ...admissionKey('document'), at: NOW, json: 'no JSON' },
  ];
  for (const Item of items) await dynamo.clients.dynamodb.send(new PutCommand({ TableName: table, Item }));
  expect(await store.reports(NOW)).toEqual([makeReport()]);
  expect(await store.document()).toBeUndefined();
  expect(telemetry.lines().map(({ message }) => message)).toEqual(Array(2).fill('admission data that cannot be read'));
});

it('a report goes after five minutes', async () => {
  const { store, table } = await make();
  await store.putReport(makeReport());
  const { p } = reportKey('env-1', NOW + 5_000);
  const command = new QueryCommand({ TableName: table, KeyConditionExpression: 'p = :p', ExpressionAttributeValues: { ':p': p } });
  expect((await dynamo.clients.dynamodb.send(command)).Items?.[0]?.['ttl']).toBe((NOW + 5_000) / 1000 + 300);
});
