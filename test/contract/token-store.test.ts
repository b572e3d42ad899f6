import type { TokenRecord } from '@sluice/contracts';
import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { tokenEntryKey, tokenKey } from '../../adapters/aws/keys.ts';
import { createTokenStore } from '../../adapters/aws/token-store.ts';
import { createMemoryTokenStore } from '../../adapters/memory/token-store.ts';
import { A, NOW } from './fixtures.ts';
import { startDynamo, type Dynamo } from './servers.ts';
import { tokenStoreContract } from './token-store.ts';

let dynamo: Dynamo;
let table: string;
beforeAll(async () => {
  dynamo = await startDynamo();
});
afterAll(() => dynamo.stop());

const make = async () => {
  table = await dynamo.newTable();
  return createTokenStore(dynamo.clients.dynamodb, { table });
};

tokenStoreContract('memory', async () => createMemoryTokenStore());
tokenStoreContract('DynamoDB', make);

it('gives what expires a time to live in DynamoDB, not before its end', async () => {
  const store = await make();
  const hash = 'ab12'.repeat(16);
  const ttl = async (Key: Record<string, string>): Promise<unknown> =>
    (await dynamo.clients.dynamodb.send(new GetCommand({ TableName: table, Key }))).Item?.['ttl'];
  const both = () => Promise.all([ttl(tokenKey(hash)), ttl(tokenEntryKey(A, 'tok_ab12ab12ab12ab12'))]);
  const record: TokenRecord = { v: 1, hash, tenant: A, scopes: ['read'], createdAt: NOW };
  await store.note(record);
  await store.put(record);
  expect(await both()).toEqual([undefined, undefined]);
  await store.renew({ ...record, expiresAt: NOW + 1 });
  expect(await both()).toEqual([NOW / 1_000 + 1, NOW / 1_000 + 1]);
});
