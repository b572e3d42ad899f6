import { CreateQueueCommand, GetQueueUrlCommand, ReceiveMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { DestinationRecord, StartMode } from '@sluice/contracts';
import { createBacklogStore } from '../../adapters/aws/backlog-store.ts';
import { createBreakerStore } from '../../adapters/aws/breaker-store.ts';
import { createBucketStore } from '../../adapters/aws/bucket-store.ts';
import { countCalls, type CallCounter } from '../../adapters/aws/counting.ts';
import { createHintQueue } from '../../adapters/aws/hint-queue.ts';
import { createPermitStore } from '../../adapters/aws/permit-store.ts';
import { createLastingTaskStore, createLastingValueStore } from '../../adapters/aws/lasting-stores.ts';
import { createTypeRegistry, createTypeWriter } from '../../adapters/aws/type-registry.ts';
import { createWebhookSecretStore } from '../../adapters/aws/webhook-secret-store.ts';
import { createMemoryEventBus, createMemoryStarter, createMemoryTelemetry } from '../../adapters/memory/index.ts';
import { systemClock as clock, systemHasher as hasher, systemRandom as random, systemTimer as timer } from '../../adapters/system.ts';
import { createSightings } from '../../core/breakers/evidence.ts';
import { dispatch } from '../../core/dispatch/dispatch.ts';
import { tuneLimit } from '../../core/permits/tune.ts';
import { createLaneViews } from '../../core/permits/views.ts';
import type { ReceivedHint } from '../../core/ports/hint-queue.ts';
import { settleRecords } from '../../core/settle/settle-records.ts';
import { submitTasks } from '../../core/submit/submit.ts';
import { warmGate } from './gate.ts';
import { startDynamo, startFaux } from '../../test/contract/servers.ts';

const BATCH = 10;
const BATCHES = 5;
const WAYS = [
  [true, 1],
  [false, 1],
  [false, 10],
] as const;

export interface Cost {
  /** Calls of AWS, invocations of handlers included. */
  calls: number;
  /** Write units of the table and its index. */
  writeUnits: number;
}

export type Phases = Record<'submit' | 'dispatch' | 'settle', Cost>;

/** What one task costs, by starter, by whether the table has the list index, and by the lanes of a batch's ten tasks. */
export interface CostRun {
  readonly mode: StartMode;
  readonly listIndex: boolean;
  readonly lanes: 1 | 10;
  readonly costs: Phases;
}

/**
 * Counts calls and write units of a task on the happy path: single submissions, then batches of ten of one lane or of ten, by the
 * production code and the real SDK against servers of DynamoDB and SQS. Invocations are counted at the starter.
 */
export function measureCosts(): Promise<readonly CostRun[]> {
  return withServers(async (servers) => {
    const runs: CostRun[] = [];
    for (const mode of ['event', 'wait'] as const) {
      for (const [listIndex, lanes] of WAYS) runs.push({ mode, listIndex, lanes, costs: await measure(servers, mode, listIndex, lanes) });
    }
    return runs;
  });
}

/** Starts servers of DynamoDB, SQS and S3 for as long as something is measured on them. */
export async function withServers<T>(run: (servers: Servers) => Promise<T>): Promise<T> {
  const dynamo = await startDynamo();
  const faux = await startFaux();
  try {
    return await run({ dynamo, faux, counter: new Map() as CallCounter });
  } finally {
    await dynamo.stop();
    await faux.stop();
  }
}

export interface Servers {
  readonly dynamo: Awaited<ReturnType<typeof startDynamo>>;
  readonly faux: Awaited<ReturnType<typeof startFaux>>;
  readonly counter: CallCounter;
}

/** A platform of one shard on a table and queues of its own, with one type, `echo`. */
export async function wire({ dynamo, faux, counter }: Servers, mode: StartMode, listIndex: boolean) {
  const dynamodb = countCalls(dynamo.clients.dynamodb, counter);
  const sqs = countCalls(faux.clients.sqs, counter);
  const table = await dynamo.newTable();
  const records: DestinationRecord[] = [];
  const counted = { invocations: 0 };
  const starter = createMemoryStarter({
    clock,
    handlers: {
      echo: () => {
        counted.invocations += 1;
        return { ok: true };
      },
    },
    onRecord: (record) => void records.push(record),
  });
  const queueUrlPrefix = await makeQueues(sqs, `${table}-`);
  const telemetry = createMemoryTelemetry();
  const types = createTypeRegistry(dynamodb, { table, clock, telemetry, refreshSeconds: 3_600 });
  await createTypeWriter(dynamodb, { table }).put(
    {
      v: 1,
      type: 'echo',
      handler: { kind: 'lambda', arn: 'arn:aws:lambda:us-east-1:000000000000:function:echo:sluice' },
      start: mode,
      timeoutSeconds: 30,
      concurrency: 40,
      retry: { maxAttempts: 5, minDelaySeconds: 1, maxDelaySeconds: 60, factor: 2 },
      dedupWindowSeconds: 86_400,
    },
    'bench',
  );
  await types.get('echo');
  const deps = {
    admission: await warmGate(dynamodb, table, telemetry, 'acme'),
    tasks: createLastingTaskStore(dynamodb, { table, listIndex, clock, telemetry }),
    values: createLastingValueStore({ dynamodb, s3: faux.clients.s3 }, { table, bucket: 'values', clock }),
    permits: createPermitStore(dynamodb, { table }),
    views: createLaneViews(clock),
    tune: tuneLimit,
    backlog: createBacklogStore(dynamodb, { table, random, telemetry }),
    buckets: createBucketStore(dynamodb, { table, random, telemetry }),
    queue: createHintQueue(sqs, { queueUrlPrefix, random, telemetry }),
    events: createMemoryEventBus(),
    routing: { shards: 1, shardsPerTenant: 1 },
    types,
    breakers: createBreakerStore(dynamodb, { table, clock, known: types }),
    sightings: createSightings(),
    telemetry,
    starter,
    clock,
    random,
    timer,
    hasher,
    webhookSecrets: createWebhookSecretStore(dynamodb, { table }),
    notifyRules: { queues: {}, ports: [443], hosts: [] },
  };
  return { deps, sqs, queueUrlPrefix, starter, telemetry, records, counted };
}

async function measure(servers: Servers, mode: StartMode, listIndex: boolean, lanes: number): Promise<Phases> {
  const { deps, sqs, queueUrlPrefix, starter, telemetry, records, counted } = await wire(servers, mode, listIndex);
  const { counter } = servers;
  const sums = { submit: { calls: 0, writeUnits: 0 }, dispatch: { calls: 0, writeUnits: 0 }, settle: { calls: 0, writeUnits: 0 } };
  const phase = async (into: Cost, run: () => Promise<unknown>): Promise<void> => {
    counter.clear();
    counted.invocations = 0;
    await run();
    for (const counts of counter.values()) {
      into.calls += counts.calls;
      into.writeUnits += counts.writeUnits;
    }
    into.calls += counted.invocations;
  };
  for (let batch = -1; batch < BATCHES; batch++) {
    // The limit of a new lane is raised once where it is used as here: a write of the lane, and of no task.
    if (batch === 0) for (const cost of Object.values(sums)) Object.assign(cost, { calls: 0, writeUnits: 0 });
    for (let n = 0; n < BATCH; n++) {
      await phase(sums.submit, () =>
        submitTasks(deps, `acme${n % lanes || ''}`, [
          { type: 'echo', id: `task-${batch}-${n}`, payload: { order: n, name: 'Ada Lovelace' } },
        ]),
      );
    }
    const received = await receive(sqs, `${queueUrlPrefix}normal-0`);
    await phase(sums.dispatch, async () => {
      const kept = await dispatch(deps, received, { noted: new Map(), deadline: clock.now() + 180_000 });
      if (kept.length > 0) throw new Error(`${kept.length} messages were kept`);
      await starter.idle();
    });
    const bodies = records.splice(0).map((record, n) => ({ messageId: `${n}`, body: JSON.stringify(record) }));
    if (bodies.length > 0) await phase(sums.settle, () => settleRecords(deps, bodies));
  }
  const done = telemetry.total('task.succeeded');
  if (done !== BATCH * (BATCHES + 1)) throw new Error(`${done} of ${BATCH * (BATCHES + 1)} tasks succeeded`);
  for (const cost of Object.values(sums)) {
    cost.calls /= BATCH * BATCHES;
    cost.writeUnits /= BATCH * BATCHES;
  }
  return sums;
}

async function makeQueues(sqs: SQSClient, prefix: string): Promise<string> {
  for (const priority of ['high', 'normal', 'low']) await sqs.send(new CreateQueueCommand({ QueueName: `${prefix}${priority}-0` }));
  const { QueueUrl = '' } = await sqs.send(new GetQueueUrlCommand({ QueueName: `${prefix}normal-0` }));
  return QueueUrl.replace(/normal-0$/, '');
}

async function receive(sqs: SQSClient, QueueUrl: string): Promise<ReceivedHint[]> {
  const received: ReceivedHint[] = [];
  while (received.length < BATCH) {
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 1 }));
    for (const { MessageId = '', ReceiptHandle = '', Body = '' } of Messages) {
      received.push({ messageId: MessageId, receipt: ReceiptHandle, body: Body, receiveCount: 1, queue: { priority: 'normal', shard: 0 } });
    }
  }
  return received;
}
