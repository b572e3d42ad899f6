import { CreateQueueCommand, DeleteMessageBatchCommand, ReceiveMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { PRIORITIES, type HintedTask } from '@sluice/contracts';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createBacklogStore } from '../../adapters/aws/backlog-store.ts';
import { createBucketStore } from '../../adapters/aws/bucket-store.ts';
import { createDedicatedQueues } from '../../adapters/aws/dedicated-queues.ts';
import { createHintQueue } from '../../adapters/aws/hint-queue.ts';
import { createQueueWatch } from '../../adapters/aws/queue-watch.ts';
import { createRoutingMap, createRoutingStore } from '../../adapters/aws/routing-store.ts';
import { createTypeRegistry } from '../../adapters/aws/type-registry.ts';
import { createMemoryClock, createMemoryRandom, createMemoryTelemetry } from '../../adapters/memory/index.ts';
import { placeHints } from '../../core/hints/place.ts';
import { DEFAULT_ROUTING_SETTINGS } from '../../core/routing/settings.ts';
import { tendRouting } from '../../core/routing/tend-routing.ts';
import { ControlPlane } from '../../local/control-plane.ts';
import { EventSources } from '../../local/lambda/event-sources.ts';
import type { LambdaService } from '../../local/lambda/service.ts';
import { HostState } from '../../local/state.ts';
import { newUid, NOW } from './fixtures.ts';
import { clientsAt, startDynamo, startFaux, type Dynamo, type Faux } from './servers.ts';

const MINUTE = 60_000;
const POOL = { shards: 2, shardsPerTenant: 2 };
/** Nobody receives: what is in the queues stays there. */
const nobody = {
  send: (_command: unknown, options?: { abortSignal?: AbortSignal }) =>
    new Promise((_resolve, reject) => options?.abortSignal?.addEventListener('abort', () => reject(new Error('aborted')))),
} as unknown as SQSClient;
const dispatch = { find: () => ({ fn: { configuration: { name: 'sluice-dispatch' } } }) } as unknown as LambdaService;

let [faux, dynamo] = [] as unknown as [Faux, Dynamo];
const controlPlane = new ControlPlane();
const sources = new EventSources(dispatch, nobody, new HostState(undefined), () => {});
let lambdaEndpoint = '';
beforeAll(async () => {
  [faux, dynamo] = await Promise.all([startFaux(), startDynamo()]);
  controlPlane.add((request) => sources.handle(request));
  lambdaEndpoint = `http://127.0.0.1:${await controlPlane.listen(undefined)}`;
});
afterAll(async () => {
  await sources.close();
  await controlPlane.close();
  await Promise.all([faux.stop(), dynamo.stop()]);
});

it('a tenant that fills the shared queues gets its own, is routed there, and loses them when they were idle, on the real servers', async () => {
  const table = await dynamo.newTable();
  const { dynamodb } = dynamo.clients;
  const [clock, random, telemetry] = [createMemoryClock(NOW), createMemoryRandom(3), createMemoryTelemetry()];
  const { sqs, lambda } = clientsAt({ sqsEndpoint: faux.server.address, lambdaEndpoint });
  for (const priority of PRIORITIES)
    for (const shard of [0, 1]) await sqs.send(new CreateQueueCommand({ QueueName: `sluice-${priority}-${shard}` }));
  const queueUrlPrefix = `${faux.server.address}/000000000000/sluice-`;
  const watch = createQueueWatch(sqs, { queueUrlPrefix, telemetry });
  const types = createTypeRegistry(dynamodb, { table, clock, telemetry });
  const place = {
    queue: createHintQueue(sqs, { queueUrlPrefix, random, telemetry }),
    buckets: createBucketStore(dynamodb, { table, random, telemetry }),
    clock,
    random,
    routing: { ...POOL, map: createRoutingMap(dynamodb, { table, clock, timer: { sleep: async () => {} }, telemetry, types }) },
  };
  const routes = createRoutingStore(dynamodb, { table });
  const control = {
    ...place,
    telemetry,
    watch,
    routes,
    dedicatedQueues: createDedicatedQueues(
      { sqs, lambda },
      {
        queueUrlPrefix,
        queueArnPrefix: 'arn:aws:sqs:us-east-1:000000000000:sluice-',
        functionArn: 'arn:aws:lambda:us-east-1:000000000000:function:sluice-dispatch',
        deadLetterArn: 'arn:aws:sqs:us-east-1:000000000000:sluice-high-0',
        maxReceives: 1_000,
        visibilitySeconds: 180,
        retentionSeconds: 1_209_600,
        batchSize: 10,
        tags: {},
      },
    ),
    backlog: createBacklogStore(dynamodb, { table, random, telemetry }),
    routingSettings: { ...DEFAULT_ROUTING_SETTINGS, busyDepth: 20 },
    sensitiveTenants: async () => [],
    timer: { sleep: async () => {} },
  };
  const hint = async (tenant: string): Promise<void> => {
    const uid = newUid(clock.now());
    const task: HintedTask = { id: uid, uid, seq: 0, at: clock.now(), made: clock.now(), type: 'echo', priority: 'normal' };
    expect(await placeHints(place, [{ tenant, task }])).toEqual([true]);
  };
  const rounds = async (n: number): Promise<string | undefined> => {
    let state: string | undefined;
    for (let i = 0; i < n; i++) {
      state = (await tendRouting(control))?.dedicated[0]?.state;
      clock.advance(MINUTE);
    }
    return state;
  };
  const visible = async (shard: number | 'd1') => (await watch.depths([{ priority: 'normal', shard }]))[0]?.visible;

  for (let n = 0; n < 80; n++) await hint('acme');
  for (let n = 0; n < 8; n++) await hint('b');
  expect(await rounds(3)).toBe('creating');
  expect(await rounds(1)).toBe('active');
  expect((await routes.read())?.depths?.normal.reduce((sum, n) => sum + n, 0)).toBeGreaterThan(60);
  // A reader that has read the task types knows it.
  await types.names();
  const before = await visible('d1');
  await hint('acme');
  await hint('b');
  expect([before, await visible('d1')]).toEqual([0, 1]);

  for (const queue of ['normal-0', 'normal-1', 'normal-d1']) await empty(sqs, queueUrlPrefix + queue);
  expect(await rounds(15)).toBe('active');
  expect(await rounds(2)).toBe('draining');
  expect(await rounds(18)).toBe('draining');
  // Event sources that are being deleted are gone in the next round.
  await expect.poll(() => rounds(1), { timeout: 20_000 }).toBeUndefined();
  expect(await visible('d1')).toBeUndefined();
  expect(await routes.read()).toMatchObject({ generations: 1, dedicated: [], suspects: [] });
  await hint('acme');
  expect(telemetry.total('routing.promoted')).toBe(1);
  expect(telemetry.total('routing.demoted')).toBe(1);
  expect(telemetry.total('routing.failed')).toBe(0);
});

async function empty(sqs: SQSClient, QueueUrl: string): Promise<void> {
  for (;;) {
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
    if (Messages.length === 0) return;
    const Entries = Messages.map(({ ReceiptHandle }, n) => ({ Id: String(n), ReceiptHandle }));
    await sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
  }
}
