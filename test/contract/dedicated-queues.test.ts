import type * as Sdk from '@aws-sdk/client-sqs';
import { CreateQueueCommand, GetQueueAttributesCommand, ListQueuesCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { ListEventSourceMappingsCommand } from '@aws-sdk/client-lambda';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { createCleanUp } from '../../adapters/aws/dedicated-clean-up.ts';
import { createDedicatedQueues } from '../../adapters/aws/dedicated-queues.ts';
import { createHintQueue } from '../../adapters/aws/hint-queue.ts';
import { nameOfQueue } from '../../adapters/aws/queue-ref.ts';
import { createQueueWatch } from '../../adapters/aws/queue-watch.ts';
import { createMemoryClock, createMemoryQueues, createMemoryRandom, createMemoryTelemetry } from '../../adapters/memory/index.ts';
import type { QueueRef } from '../../core/ports/hint-queue.ts';
import { ControlPlane } from '../../local/control-plane.ts';
import { EventSources } from '../../local/lambda/event-sources.ts';
import type { LambdaService } from '../../local/lambda/service.ts';
import { HostState } from '../../local/state.ts';
import { dedicatedQueuesContract } from './dedicated-queues.ts';
import { NOW } from './fixtures.ts';
import { clientsAt, startFaux, type Faux } from './servers.ts';

const FUNCTION = 'arn:aws:lambda:us-east-1:000000000000:function:sluice-dispatch';
const CONFIG = {
  functionArn: FUNCTION,
  deadLetterArn: 'arn:aws:sqs:us-east-1:000000000000:hints-dead',
  maxReceives: 1_000,
  visibilitySeconds: 180,
  retentionSeconds: 1_209_600,
  batchSize: 10,
  tags: { 'sluice:platform': 'sluice' },
};

/** A dispatch that keeps all that it gets. */
const dispatch = {
  find: () => ({ fn: { configuration: { name: 'sluice-dispatch' } }, arn: FUNCTION }),
  invoke: async () => ({ kind: 'throttled', reason: 'ConcurrentInvocationLimitExceeded' }),
} as unknown as LambdaService;

/** Queues that nothing is received from: a poll that is broken off would have taken messages with it. */
const silent = {
  send: (_command: unknown, options?: { abortSignal?: AbortSignal }) =>
    new Promise((_resolve, reject) => options?.abortSignal?.addEventListener('abort', () => reject(new Error('aborted')))),
} as unknown as SQSClient;

let faux: Faux;
let controlPlane: ControlPlane;
let lambdaEndpoint: string;
const open: EventSources[] = [];
beforeAll(async () => {
  faux = await startFaux();
  controlPlane = new ControlPlane();
  controlPlane.add((request) => open.at(-1)?.handle(request));
  lambdaEndpoint = `http://127.0.0.1:${await controlPlane.listen(undefined)}`;
  await faux.clients.sqs.send(new CreateQueueCommand({ QueueName: 'hints-dead' }));
});
afterEach(async () => {
  for (const sources of open.splice(0)) await sources.close();
});
afterAll(async () => {
  await controlPlane.close();
  await faux.stop();
});

let platforms = 0;
const make = async () => {
  const name = `p${++platforms}`;
  open.push(new EventSources(dispatch, silent, new HostState(undefined), () => {}));
  const { sqs, lambda } = clientsAt({ sqsEndpoint: faux.server.address, lambdaEndpoint });
  const queueUrlPrefix = `${faux.server.address}/000000000000/${name}-`;
  const telemetry = createMemoryTelemetry();
  const queueArnPrefix = `arn:aws:sqs:us-east-1:000000000000:${name}-`;
  const isFed = async (queue: QueueRef): Promise<boolean> => {
    const { EventSourceMappings = [] } = await lambda.send(
      new ListEventSourceMappingsCommand({ EventSourceArn: queueArnPrefix + nameOfQueue(queue), FunctionName: 'sluice-dispatch' }),
    );
    expect(EventSourceMappings.length).toBeLessThanOrEqual(1);
    return EventSourceMappings.length === 1;
  };
  return {
    name,
    sqs,
    lambda,
    isFed,
    cleanUp: createCleanUp({ sqs, lambda }, { queueArnPrefix, functionArn: FUNCTION }),
    queue: createHintQueue(sqs, { queueUrlPrefix, random: createMemoryRandom(1), telemetry }),
    watch: createQueueWatch(sqs, { queueUrlPrefix, telemetry }),
    dedicated: createDedicatedQueues({ sqs, lambda }, { ...CONFIG, queueUrlPrefix, queueArnPrefix }),
  };
};

dedicatedQueuesContract('memory', async () => {
  const queues = createMemoryQueues({ clock: createMemoryClock(NOW), random: createMemoryRandom(1) });
  const { watch, dedicatedQueues: dedicated } = queues;
  return { queue: queues, watch, dedicated, isFed: async (queue) => queues.stateOf(queue) === 'fed' };
});
dedicatedQueuesContract('SQS and Lambda', make);

it('a dedicated queue is made as those of the pool are, and tells by its tags whose it is', async () => {
  const { name, dedicated, lambda } = await make();
  await dedicated.make('acme', 42);
  const QueueUrl = `${faux.server.address}/000000000000/${name}-high-d42`;
  const { Attributes } = await faux.clients.sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }));
  expect(Attributes).toMatchObject({ VisibilityTimeout: '180', MessageRetentionPeriod: '1209600', MaximumMessageSize: '1048576' });
  expect(JSON.parse(Attributes?.['RedrivePolicy'] ?? '')).toMatchObject({ deadLetterTargetArn: CONFIG.deadLetterArn });
  expect(JSON.parse(Attributes?.['Policy'] ?? '')).toMatchObject({
    Statement: [{ Effect: 'Deny', Resource: `arn:aws:sqs:us-east-1:000000000000:${name}-high-d42` }],
  });
  // By the SDK's own client: the platform never reads tags.
  const sdk = await vi.importActual<typeof Sdk>('@aws-sdk/client-sqs');
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const sqs = new sdk.SQSClient({ endpoint: faux.server.address, region: 'us-east-1', credentials });
  const { Tags } = await sqs.send(new sdk.ListQueueTagsCommand({ QueueUrl }));
  sqs.destroy();
  expect(Tags).toEqual({ 'sluice:platform': 'sluice', 'sluice:tenant': 'acme' });
  const { EventSourceMappings = [] } = await lambda.send(new ListEventSourceMappingsCommand({ FunctionName: FUNCTION }));
  expect(EventSourceMappings).toHaveLength(3);
  expect(EventSourceMappings[0]).toMatchObject({
    FunctionArn: FUNCTION,
    BatchSize: 10,
    FunctionResponseTypes: ['ReportBatchItemFailures'],
    State: 'Enabled',
  });
});

it('a clean-up takes every dedicated queue with its event source, and nothing else; again it finds nothing', async () => {
  const { name, sqs, lambda, dedicated, cleanUp } = await make();
  const other = await make();
  await Promise.all([dedicated.make('acme', 7), dedicated.make('globex', 8), other.dedicated.make('acme', 7)]);
  // One of the pool's, and one that only looks like a tenant's.
  const shared = [`${name}-high-0`, `${name}-high-dead`];
  for (const QueueName of shared) await sqs.send(new CreateQueueCommand({ QueueName }));
  const namesOf = async (prefix: string): Promise<string[]> => {
    const { QueueUrls = [] } = await sqs.send(new ListQueuesCommand({ QueueNamePrefix: `${prefix}-` }));
    return QueueUrls.map((url) => url.split('/').at(-1) ?? '').toSorted();
  };
  expect(await namesOf(name)).toHaveLength(2 * 3 + shared.length);

  for (const _ of ['once', 'again']) {
    await cleanUp.removeAll();
    expect(await namesOf(name)).toEqual(shared);
    const { EventSourceMappings = [] } = await lambda.send(new ListEventSourceMappingsCommand({ FunctionName: FUNCTION }));
    expect(EventSourceMappings.filter(({ EventSourceArn }) => EventSourceArn?.includes(`:${name}-`))).toEqual([]);
  }
  expect(await namesOf(other.name)).toHaveLength(3);
});
