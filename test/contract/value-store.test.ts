import { PutObjectCommand } from '@aws-sdk/client-s3';
import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { taskPartition } from '../../adapters/aws/keys.ts';
import { createLastingValueStore } from '../../adapters/aws/lasting-stores.ts';
import { createMemoryClock } from '../../adapters/memory/clock.ts';
import { systemClock } from '../../adapters/system.ts';
import { createMemoryValueStore } from '../../adapters/memory/value-store.ts';
import { A, newUid, NOW } from './fixtures.ts';
import { startDynamo, startFaux, type Dynamo, type Faux } from './servers.ts';
import { valueStoreContract } from './value-store.ts';

let dynamo: Dynamo;
let faux: Faux;
beforeAll(async () => {
  [dynamo, faux] = await Promise.all([startDynamo(), startFaux()]);
  faux.server.createBucket('values');
});
afterAll(() => Promise.all([dynamo.stop(), faux.stop()]));

const make = async () => {
  const table = await dynamo.newTable();
  const clients = { dynamodb: dynamo.clients.dynamodb, s3: faux.clients.s3 };
  return {
    table,
    values: createLastingValueStore(clients, { table, bucket: 'values', clock: systemClock }),
    fetch: async (url: string) => (await fetch(url)).text(),
  };
};

valueStoreContract('memory', async () => {
  const values = createMemoryValueStore();
  return { values, fetch: async (url) => values.fetch(url) };
});
valueStoreContract('DynamoDB and S3', make);

describe('value store on DynamoDB and S3', () => {
  const ttlOf = async (TableName: string, uid: string): Promise<unknown> => {
    const Key = { p: taskPartition(A, 'x'), s: `P#${uid}` };
    const { Item } = await dynamo.clients.dynamodb.send(new GetCommand({ TableName, Key }));
    return Item?.['ttl'];
  };

  it('keys an object by tenant, id and name, and serves it as JSON', async () => {
    const { values } = await make();
    const uid = newUid();
    const value = await values.put(A, 'a:b', uid, 'result', '[]', 's3', NOW);
    if (value.in !== 's3') throw new Error(`kept in ${value.in}`);
    expect(value.key).toBe(`short/${A}/a%3Ab/${uid}/result.json`);
    const farAway = systemClock.now() + 2 * 365 * 86_400_000;
    expect(await values.put(A, 'a:b', uid, 'result', '[]', 's3', farAway)).toMatchObject({ key: `long/${A}/a%3Ab/${uid}/result.json` });
    const answer = await fetch(await values.url(A, value, 60));
    expect(answer.headers.get('content-type')).toBe('application/json');
  });

  it('lets an item expire when it need not be readable any more', async () => {
    const { values, table } = await make();
    const uid = newUid();
    await values.put(A, 'x', uid, 'payload', '[]', 'item', NOW + 1);
    expect(await ttlOf(table, uid)).toBe(NOW / 1000 + 1);
  });

  it('lets it expire later where it would be gone too soon', async () => {
    const { values, table } = await make();
    const uid = newUid();
    const value = await values.put(A, 'x', uid, 'payload', '[]', 'item', NOW);
    await values.keep(A, 'x', uid, 'payload', value, NOW, NOW + 60_000);
    expect(await ttlOf(table, uid)).toBe(NOW / 1000);
    await values.keep(A, 'x', uid, 'payload', value, NOW + 1, NOW + 60_000);
    expect(await ttlOf(table, uid)).toBe(NOW / 1000 + 60);
  });

  it('writes an object once more in its place, for S3 counts its days from then', async () => {
    const { values } = await make();
    for (const [prefix, until] of [
      ['short', NOW],
      ['long', systemClock.now() + 2 * 365 * 86_400_000],
    ] as const) {
      const value = await values.put(A, 'x', newUid(), 'payload', '[1]', 's3', until);
      if (value.in !== 's3') throw new Error(`kept in ${value.in}`);
      const send = vi.spyOn(faux.clients.s3, 'send');
      await values.keep(A, 'x', 'n', 'payload', value, NOW, NOW);
      const puts = send.mock.calls.flatMap(([command]) => (command instanceof PutObjectCommand ? [command.input] : []));
      send.mockRestore();
      expect(value.key.startsWith(prefix)).toBe(true);
      expect(puts).toMatchObject([{ Key: value.key, Body: '[1]', ContentType: 'application/json' }]);
    }
  });
});

describe('value store in memory', () => {
  it('forgets, by a clock, as soon as it may', async () => {
    const clock = createMemoryClock(NOW);
    const values = createMemoryValueStore({ clock });
    const value = await values.put(A, 'x', newUid(), 'payload', '[]', 's3', NOW + 1000);
    if (value.in !== 's3') throw new Error(`kept in ${value.in}`);
    clock.advance(1000);
    expect(values.fetch(await values.url(A, value, 1))).toBe('[]');
    clock.advance(1);
    expect(() => values.fetch('s3://x')).toThrow('gone');
    await expect(values.get(A, 'x', 'n', 'payload', value)).rejects.toMatchObject({ code: 'not_found' });
  });
});
