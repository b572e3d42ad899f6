import { PutCommand } from '@aws-sdk/lib-dynamodb';
import type { ResourceSpec, TaskTypeSpec } from '@sluice/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { countCalls, type CallCounter } from '../../adapters/aws/counting.ts';
import { createResourceWriter, createTypeRegistry, createTypeWriter } from '../../adapters/aws/type-registry.ts';
import { createMemoryClock } from '../../adapters/memory/clock.ts';
import { createMemoryTelemetry } from '../../adapters/memory/telemetry.ts';
import { createMemoryTypeRegistry } from '../../adapters/memory/type-registry.ts';
import { withResources } from '../../core/limits/of-resources.ts';
import { makeSpec, NOW } from './fixtures.ts';
import { startDynamo, type Dynamo } from './servers.ts';
import { typeRegistryContract } from './type-registry.ts';

const counter: CallCounter = new Map();
let dynamo: Dynamo;
beforeAll(async () => {
  dynamo = await startDynamo();
  countCalls(dynamo.clients.dynamodb, counter);
});
afterAll(() => dynamo.stop());

const queries = (): number => counter.get('Query')?.calls ?? 0;

const make = async () => {
  const table = await dynamo.newTable();
  const [clock, telemetry] = [createMemoryClock(NOW), createMemoryTelemetry()];
  const registry = createTypeRegistry(dynamo.clients.dynamodb, { table, clock, telemetry, resolve: withResources });
  const pass = async (milliseconds: number): Promise<void> => {
    // A read in the background is done when another that was sent after it is.
    await createTypeRegistry(dynamo.clients.dynamodb, { table, clock, telemetry }).names();
    clock.advance(milliseconds);
  };
  const writer = createTypeWriter(dynamo.clients.dynamodb, { table });
  const put = (spec: TaskTypeSpec) => writer.put(spec, 'owner');
  const remove = (type: string) => writer.remove(type, 'owner');
  const resources = createResourceWriter(dynamo.clients.dynamodb, { table });
  const putResource = (spec: ResourceSpec) => resources.put(spec, 'owner');
  const removeResource = (resource: string) => resources.remove(resource, 'owner');
  return { registry, clock, telemetry, table, pass, put, remove, putResource, removeResource };
};

typeRegistryContract('memory', async () => {
  const registry = createMemoryTypeRegistry();
  return { ...registry, registry, pass: async () => {} };
});
typeRegistryContract('DynamoDB', make);

describe('type registry on DynamoDB', () => {
  it('asks the table once, however many ask at once, and not again while it is fresh', async () => {
    const { registry, put, clock } = await make();
    await put(makeSpec());
    const before = queries();
    await Promise.all(Array.from({ length: 10 }, () => registry.get('thumbnail')));
    clock.advance(29_999);
    await registry.get('thumbnail');
    expect(queries() - before).toBe(1);
  });

  it('gives the old answer while it reads anew', async () => {
    const { registry, put, clock } = await make();
    await put(makeSpec());
    await registry.get('thumbnail');
    await put(makeSpec({ concurrency: 99 }));
    clock.advance(30_000);
    expect(await registry.get('thumbnail')).toMatchObject({ concurrency: 10 });
    await expect.poll(() => registry.get('thumbnail')).toMatchObject({ concurrency: 99 });
  });

  it('looks for unknown types at most once a second', async () => {
    const { registry, clock } = await make();
    await registry.names();
    const before = queries();
    for (let n = 0; n < 20; n++) await registry.get(`unknown-${n}`);
    expect(queries() - before).toBe(0);
    clock.advance(1000);
    for (let n = 0; n < 20; n++) await registry.get(`unknown-${n}`);
    expect(queries() - before).toBe(1);
  });

  it('logs a spec that cannot be read, and gives the others', async () => {
    const { registry, put, table, telemetry } = await make();
    await put(makeSpec());
    for (const [s, spec] of [
      ['bad', '{'],
      ['odd', '{"v":1}'],
    ]) {
      await dynamo.clients.dynamodb.send(new PutCommand({ TableName: table, Item: { p: 'Y', s, spec } }));
    }
    expect(await registry.names()).toEqual(['thumbnail']);
    expect(telemetry.lines().map(({ fields }) => fields['type'])).toEqual(['bad', 'odd']);
  });

  it('goes on with what it knows when the table is gone', async () => {
    const { table, clock, telemetry, put } = await make();
    await put(makeSpec());
    const broken = { on: false };
    const client = Object.create(dynamo.clients.dynamodb, {
      send: {
        value: (command: never) => (broken.on ? Promise.reject(new Error('no table')) : dynamo.clients.dynamodb.send(command)),
      },
    }) as Dynamo['clients']['dynamodb'];
    const registry = createTypeRegistry(client, { table, clock, telemetry });
    await registry.names();
    broken.on = true;
    clock.advance(60_000);
    expect(await registry.get('thumbnail')).toEqual(makeSpec());
    await expect.poll(() => telemetry.lines()).toMatchObject([{ level: 'warn' }]);
  });
});
