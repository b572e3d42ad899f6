import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { countCalls, type CallCounter } from '../../adapters/aws/counting.ts';
import { createRoutingMap, createRoutingStore } from '../../adapters/aws/routing-store.ts';
import { createTypeRegistry, createTypeWriter } from '../../adapters/aws/type-registry.ts';
import { systemTimer } from '../../adapters/system.ts';
import { createMemoryClock, createMemoryRoutingStore, createMemoryTelemetry } from '../../adapters/memory/index.ts';
import { makeSpec, NOW } from './fixtures.ts';
import { documentAt, routingStoreContract, WHOLE } from './routing-store.ts';
import { startDynamo, type Dynamo } from './servers.ts';

const counter: CallCounter = new Map();
let dynamo: Dynamo;
beforeAll(async () => {
  dynamo = await startDynamo();
  countCalls(dynamo.clients.dynamodb, counter);
});
afterAll(() => dynamo.stop());

const make = async () => {
  const table = await dynamo.newTable();
  const { dynamodb } = dynamo.clients;
  const [clock, telemetry] = [createMemoryClock(NOW), createMemoryTelemetry()];
  await createTypeWriter(dynamodb, { table }).put(makeSpec(), 'owner');
  const reader = () => {
    const types = createTypeRegistry(dynamodb, { table, clock, telemetry });
    return { types, map: createRoutingMap(dynamodb, { table, clock, timer: systemTimer, telemetry, types }) };
  };
  return { table, clock, reader, store: createRoutingStore(dynamodb, { table }) };
};

routingStoreContract('memory', async () => createMemoryRoutingStore({ clock: createMemoryClock(NOW) }));
routingStoreContract('DynamoDB', async () => (await make()).store);

describe('what readers know in memory', () => {
  it('is as late as it was asked to be', async () => {
    const clock = createMemoryClock(NOW);
    const store = createMemoryRoutingStore({ clock });
    const late = store.mapOf(5_000);
    await store.write(documentAt(1));
    expect([store.known()?.document.version, late.known()]).toEqual([1, undefined]);
    clock.advance(5_000);
    expect(late.known()?.document.version).toBe(1);
  });
});

describe('what readers know of the routing on DynamoDB', () => {
  const calls = () => [...counter.values()].reduce((sum, each) => sum + each.calls, 0);

  it('comes with the task types, at no cost of its own, and is not taken for one', async () => {
    const { store, reader } = await make();
    await store.write(WHOLE);
    const { types, map } = reader();
    expect(map.known()).toBeUndefined();
    counter.clear();
    expect(await types.names()).toEqual(['thumbnail']);
    for (let n = 0; n < 20; n++) expect(map.known()?.document).toEqual(WHOLE);
    expect(calls()).toBe(1);
  });

  it('is read anew every five seconds where it routes anybody, without anybody waiting for it', async () => {
    const { store, reader, clock } = await make();
    await store.write(WHOLE);
    const { types, map } = reader();
    await types.names();
    await store.write({ ...WHOLE, version: 2 });
    clock.advance(4_999);
    expect(map.known()?.document.version).toBe(1);
    clock.advance(1);
    expect(map.known()?.document.version).toBe(1);
    await expect.poll(() => map.known()?.document.version).toBe(2);
  });

  it('is waited for by new tasks where it is seven seconds old, and at 40 where it says nothing', async () => {
    const { store, reader, clock } = await make();
    await store.write(documentAt(1));
    const { types, map } = reader();
    await types.names();
    await store.write({ ...WHOLE, version: 2 });
    counter.clear();
    clock.advance(39_999);
    expect([map.ready(), calls()]).toEqual([undefined, 0]);
    clock.advance(1);
    await map.ready();
    expect([map.known()?.document.version, calls()]).toEqual([2, 1]);
    await store.write({ ...WHOLE, version: 3 });
    clock.advance(6_999);
    expect(map.ready()).toBeUndefined();
    await expect.poll(() => map.known()?.document.version).toBe(3);
    await store.write({ ...WHOLE, version: 4 });
    clock.advance(7_000);
    await map.ready();
    expect(map.known()?.document.version).toBe(4);
  });

  it('costs nothing more where it routes nobody', async () => {
    const { store, reader, clock } = await make();
    await store.write(documentAt(1));
    const { types, map } = reader();
    await types.names();
    counter.clear();
    clock.advance(20_000);
    expect(map.known()?.document).toEqual(documentAt(1));
    expect(calls()).toBe(0);
  });

  it('is not used when it is two minutes old: the queues that it names may be gone', async () => {
    const { store, reader, clock } = await make();
    await store.write(WHOLE);
    const { types, map } = reader();
    await types.names();
    clock.advance(119_999);
    expect(map.known()).toBeDefined();
    const frozen = reader();
    await frozen.types.names();
    clock.advance(120_000);
    expect(frozen.map.known()).toBeUndefined();
    await expect.poll(() => frozen.map.known()?.document).toEqual(WHOLE);
  });

  it('is nothing where it is of a version that is not known', async () => {
    const { table, reader } = await make();
    await dynamo.clients.dynamodb.send(
      new PutCommand({ TableName: table, Item: { p: 'Y', s: '~routing', version: 9, routing: '{"v":2,"version":9}' } }),
    );
    const { types, map } = reader();
    expect(await types.names()).toEqual(['thumbnail']);
    expect(map.known()).toBeUndefined();
  });
});
