import { breakerKey } from '@sluice/contracts';
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createBreakerList } from '../../adapters/aws/breaker-list.ts';
import { createBreakerStore } from '../../adapters/aws/breaker-store.ts';
import { countCalls, type CallCounter } from '../../adapters/aws/counting.ts';
import { createTypeRegistry, createTypeWriter } from '../../adapters/aws/type-registry.ts';
import { createMemoryBreakerStore, createMemoryClock, createMemoryTelemetry } from '../../adapters/memory/index.ts';
import { newBreaker } from '../../core/breakers/decide.ts';
import { breakerStoreContract } from './breaker-store.ts';
import { makeSpec, NOW } from './fixtures.ts';
import { startDynamo, type Dynamo } from './servers.ts';

const KEY = breakerKey('thumbnail');
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
  const environment = () => {
    const registry = createTypeRegistry(dynamo.clients.dynamodb, { table, clock, telemetry, refreshSeconds: 10 });
    return { registry, store: createBreakerStore(dynamo.clients.dynamodb, { table, clock, known: registry }) };
  };
  const list = createBreakerList(dynamo.clients.dynamodb, { table, telemetry });
  return { ...environment(), list, environment, clock, telemetry, table, pass: async () => clock.advance(1) };
};

breakerStoreContract('memory', async () => {
  const store = createMemoryBreakerStore();
  return { store, list: store, pass: async () => {} };
});
breakerStoreContract('DynamoDB', make);

describe('what memory knows', () => {
  it('is as late as it was asked to be', async () => {
    const clock = createMemoryClock(NOW);
    const store = createMemoryBreakerStore({ clock, lateMs: 5_000 });
    await store.write({ ...newBreaker(KEY, NOW), seq: 1, state: 'open' });
    clock.advance(4_999);
    expect(await store.known(KEY)).toBeUndefined();
    clock.advance(1);
    expect(await store.known(KEY)).toMatchObject({ state: 'open' });
    await store.write({ ...newBreaker(KEY, NOW), seq: 2, state: 'closed' });
    clock.advance(4_999);
    expect(await store.known(KEY)).toMatchObject({ state: 'open' });
    clock.advance(1);
    expect(await store.known(KEY)).toBeUndefined();
  });
});

describe('breakers on DynamoDB', () => {
  const open = { ...newBreaker(KEY, NOW), seq: 1, state: 'open' as const };

  it('are read with the task types: what is known costs no call of its own, and is not taken for a type', async () => {
    const { environment, table } = await make();
    await createTypeWriter(dynamo.clients.dynamodb, { table }).put(makeSpec(), 'owner');
    await environment().store.write(open);
    const { registry, store } = environment();
    counter.clear();
    for (let n = 0; n < 20; n++) {
      expect(await registry.get('thumbnail')).toMatchObject({ type: 'thumbnail' });
      expect(await store.known(KEY)).toEqual(open);
    }
    expect(await registry.names()).toEqual(['thumbnail']);
    expect([...counter.values()].reduce((sum, { calls }) => sum + calls, 0)).toBe(1);
  });

  it('are known to another environment within the time of a refresh, and sooner while one is not closed', async () => {
    const { environment, clock } = await make();
    const [one, two] = [environment(), environment()];
    expect(await two.store.known(KEY)).toBeUndefined();
    await one.store.write(open);
    clock.advance(9_999);
    expect(await two.store.known(KEY)).toBeUndefined();
    clock.advance(1);
    await expect.poll(() => two.store.known(KEY)).toEqual(open);
    await one.store.write({ ...open, seq: 2, state: 'closed', since: clock.now() });
    clock.advance(2_999);
    expect(await two.store.known(KEY)).toEqual(open);
    clock.advance(1);
    await expect.poll(() => two.store.known(KEY)).toBeUndefined();
  });

  it('are known at once where they were written', async () => {
    const { store } = await make();
    await store.known(KEY);
    await store.write(open);
    expect(await store.known(KEY)).toEqual(open);
  });

  it('of a version that is not known are told, and do not hide the types', async () => {
    const { registry, store, list, telemetry, table } = await make();
    await createTypeWriter(dynamo.clients.dynamodb, { table }).put(makeSpec(), 'owner');
    const item = { p: 'Y', s: `!${KEY}`, seq: 7, breaker: '{"v":9}' };
    await dynamo.clients.dynamodb.send(new PutCommand({ TableName: table, Item: item }));
    expect(await registry.names()).toEqual(['thumbnail']);
    expect(await store.known(KEY)).toBeUndefined();
    expect(await list.all()).toEqual([]);
    const told = 'breaker that cannot be read';
    expect(telemetry.lines().map(({ message }) => message)).toEqual([told, told]);
  });
});
