import type { StartChoice } from '@sluice/contracts';
import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { countCalls, type CallCounter } from '../../adapters/aws/counting.ts';
import { createStartStore } from '../../adapters/aws/start-store.ts';
import { createTypeRegistry, createTypeWriter } from '../../adapters/aws/type-registry.ts';
import { createMemoryClock, createMemoryStartStore, createMemoryTelemetry } from '../../adapters/memory/index.ts';
import { makeSpec, NOW } from './fixtures.ts';
import { startDynamo, type Dynamo } from './servers.ts';
import { startStoreContract } from './start-store.ts';

const choice: StartChoice = { v: 1, type: 'thumbnail', mode: 'wait', since: NOW };
const counter: CallCounter = new Map();
let dynamo: Dynamo;
beforeAll(async () => {
  dynamo = await startDynamo();
  countCalls(dynamo.clients.dynamodb, counter);
});
afterAll(() => dynamo.stop());

const make = async () => {
  const table = await dynamo.newTable();
  const [clock, telemetry] = [createMemoryClock(NOW), createMemoryTelemetry()];
  const environment = (refreshSeconds: number) => {
    const registry = createTypeRegistry(dynamo.clients.dynamodb, { table, clock, telemetry, refreshSeconds });
    return { registry, store: createStartStore(dynamo.clients.dynamodb, { table, clock, known: registry }) };
  };
  return { environment, clock, telemetry, table };
};

startStoreContract('memory', async () => ({ store: createMemoryStartStore(), pass: async () => {} }));
startStoreContract('DynamoDB', async () => {
  const { environment, clock } = await make();
  const { registry, store } = environment(10);
  return {
    store,
    pass: async () => {
      // The first look after the time of a refresh begins one, and is answered with what was known.
      clock.advance(10_000);
      await registry.names();
      await expect.poll(async () => JSON.stringify(await stored(registry))).toBe(JSON.stringify(await stored(environment(10).registry)));
    },
  };
});

async function stored(registry: ReturnType<typeof createTypeRegistry>): Promise<readonly StartChoice[]> {
  return [...(await registry.starts()).values()];
}

describe('what memory knows', () => {
  it('is as late as it was asked to be', async () => {
    const clock = createMemoryClock(NOW);
    const store = createMemoryStartStore({ clock });
    const late = store.knownLate(5_000);
    await store.write(choice, undefined);
    expect(await store.known('thumbnail')).toEqual(choice);
    clock.advance(4_999);
    expect(await late.known('thumbnail')).toBeUndefined();
    clock.advance(1);
    expect(await late.known('thumbnail')).toEqual(choice);
    await store.remove(choice);
    expect(await late.known('thumbnail')).toEqual(choice);
    clock.advance(5_000);
    expect(await late.all()).toEqual([]);
  });
});

describe('choices on DynamoDB', () => {
  it('are read with the task types: what is known costs no call of its own, and is not taken for a type', async () => {
    const { environment, table, telemetry } = await make();
    await createTypeWriter(dynamo.clients.dynamodb, { table }).put(makeSpec(), 'owner');
    await environment(10).store.write(choice, undefined);
    const { registry, store } = environment(10);
    counter.clear();
    for (let n = 0; n < 20; n++) {
      expect(await registry.get('thumbnail')).toMatchObject({ type: 'thumbnail' });
      expect(await store.known('thumbnail')).toEqual(choice);
    }
    expect(await registry.names()).toEqual(['thumbnail']);
    expect([...counter.values()].reduce((sum, { calls }) => sum + calls, 0)).toBe(1);
    expect(telemetry.lines()).toEqual([]);
  });

  it('of a version that is not known are told, and do not hide the types', async () => {
    const { environment, telemetry, table } = await make();
    await createTypeWriter(dynamo.clients.dynamodb, { table }).put(makeSpec(), 'owner');
    await dynamo.clients.dynamodb.send(
      new PutCommand({ TableName: table, Item: { p: 'Y', s: '^thumbnail', since: NOW, choice: '{"v":9}' } }),
    );
    const { registry, store } = environment(10);
    expect(await registry.names()).toEqual(['thumbnail']);
    expect(await store.known('thumbnail')).toBeUndefined();
    expect(telemetry.lines().map(({ message }) => message)).toEqual(['start of a type that cannot be read']);
  });

  it('have their counts elsewhere, with one write each time, until 30 days after the last', async () => {
    const { environment, clock, table } = await make();
    const { store } = environment(10);
    counter.clear();
    await store.add(choice, { runs: 1, slow: 0, long: 0 });
    clock.advance(86_400_000);
    await store.add(choice, { runs: 1, slow: 0, long: 0 });
    expect([...counter.values()].reduce((sum, { calls }) => sum + calls, 0)).toBe(2);
    const { Item: item } = await dynamo.clients.dynamodb.send(
      new GetCommand({ TableName: table, Key: { p: 'YS#thumbnail', s: String(NOW).padStart(15, '0') } }),
    );
    expect(item).toMatchObject({ v: 1, runs: 2, ttl: Math.ceil(NOW / 1000) + 31 * 86_400 });
  });
});
