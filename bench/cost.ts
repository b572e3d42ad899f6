import { GetQueueUrlCommand, ReceiveMessageCommand, CreateQueueCommand } from '@aws-sdk/client-sqs';
import type { DestinationRecord, StartMode } from '@sluice/contracts';
import Table from 'cli-table3';
import { createBacklogStore } from '../adapters/aws/backlog-store.ts';
import { createBucketStore } from '../adapters/aws/bucket-store.ts';
import { countCalls, type CallCounter } from '../adapters/aws/counting.ts';
import { createHintQueue } from '../adapters/aws/hint-queue.ts';
import { createPermitStore } from '../adapters/aws/permit-store.ts';
import { createTaskStore } from '../adapters/aws/task-store.ts';
import { createTypeRegistry, createTypeWriter } from '../adapters/aws/type-registry.ts';
import { createValueStore } from '../adapters/aws/value-store.ts';
import { createMemoryEventBus, createMemoryStarter, createMemoryTelemetry } from '../adapters/memory/index.ts';
import { systemClock as clock, systemHasher as hasher, systemRandom as random, systemTimer as timer } from '../adapters/system.ts';
import { dispatch } from '../core/dispatch/dispatch.ts';
import type { ReceivedHint } from '../core/ports/hint-queue.ts';
import { settleRecords } from '../core/settle/settle-records.ts';
import { submitTasks } from '../core/submit/submit.ts';
import { startDynamo, startFaux } from '../test/contract/servers.ts';

/*
 * Counts calls and write units of a task on the happy path: single submissions, then batches of ten of one lane, by the
 * production code and the real SDK against servers of DynamoDB and SQS. Invocations are counted at the starter.
 */
const BATCH = 10;
const BATCHES = 5;
const DESIGN: Record<string, number> = {
  'submit calls': 2,
  'event dispatch calls': 2.2,
  'event settle calls': 1.2,
  'wait dispatch calls': 3.3,
};

interface Cost {
  calls: number;
  writeUnits: number;
}

const dynamo = await startDynamo();
const faux = await startFaux();
const counter: CallCounter = new Map();
const dynamodb = countCalls(dynamo.clients.dynamodb, counter);
const sqs = countCalls(faux.clients.sqs, counter);
try {
  const costs: Record<string, number> = {};
  for (const listIndex of [true, false]) {
    for (const mode of ['event', 'wait'] as const) {
      const { submit, dispatched, settled } = await measure(mode, listIndex);
      costs['submit calls'] = submit.calls;
      costs[`${mode} dispatch calls`] = dispatched.calls;
      if (mode === 'event') costs['event settle calls'] = settled.calls;
      costs[`${mode} write units${listIndex ? ' with the list index' : ''}`] =
        submit.writeUnits + dispatched.writeUnits + settled.writeUnits;
    }
  }
  report(costs);
} finally {
  await dynamo.stop();
  await faux.stop();
}

async function measure(mode: StartMode, listIndex: boolean): Promise<Record<'submit' | 'dispatched' | 'settled', Cost>> {
  const table = await dynamo.newTable();
  const records: DestinationRecord[] = [];
  let invocations = 0;
  const starter = createMemoryStarter({
    clock,
    handlers: {
      echo: () => {
        invocations += 1;
        return { ok: true };
      },
    },
    onRecord: (record) => void records.push(record),
  });
  const queueUrlPrefix = await makeQueues(`${table}-`);
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
    tasks: createTaskStore(dynamodb, { table, listIndex, clock, telemetry }),
    values: createValueStore({ dynamodb, s3: faux.clients.s3 }, { table, bucket: 'values', clock }),
    permits: createPermitStore(dynamodb, { table }),
    backlog: createBacklogStore(dynamodb, { table, random, telemetry }),
    buckets: createBucketStore(dynamodb, { table, random, telemetry }),
    queue: createHintQueue(sqs, { queueUrlPrefix, random, telemetry }),
    events: createMemoryEventBus(),
    routing: { shards: 1, shardsPerTenant: 1 },
    types,
    telemetry,
    starter,
    clock,
    random,
    timer,
    hasher,
  };
  const sums = { submit: { calls: 0, writeUnits: 0 }, dispatched: { calls: 0, writeUnits: 0 }, settled: { calls: 0, writeUnits: 0 } };
  const phase = async (into: Cost, run: () => Promise<unknown>): Promise<void> => {
    counter.clear();
    invocations = 0;
    await run();
    for (const counts of counter.values()) {
      into.calls += counts.calls;
      into.writeUnits += counts.writeUnits;
    }
    into.calls += invocations;
  };
  for (let batch = 0; batch < BATCHES; batch++) {
    for (let n = 0; n < BATCH; n++) {
      await phase(sums.submit, () =>
        submitTasks(deps, 'acme', [{ type: 'echo', id: `task-${batch}-${n}`, payload: { order: n, name: 'Ada Lovelace' } }]),
      );
    }
    const received = await receive(`${queueUrlPrefix}normal-0`);
    await phase(sums.dispatched, async () => {
      const kept = await dispatch(deps, received, { noted: new Map(), deadline: clock.now() + 180_000 });
      if (kept.length > 0) throw new Error(`${kept.length} messages were kept`);
      await starter.idle();
    });
    const bodies = records.splice(0).map((record, n) => ({ messageId: `${n}`, body: JSON.stringify(record) }));
    if (bodies.length > 0) await phase(sums.settled, () => settleRecords(deps, bodies));
  }
  const done = telemetry.total('task.succeeded');
  if (done !== BATCH * BATCHES) throw new Error(`${done} of ${BATCH * BATCHES} tasks succeeded`);
  for (const cost of Object.values(sums)) {
    cost.calls /= done;
    cost.writeUnits /= done;
  }
  return sums;
}

async function makeQueues(prefix: string): Promise<string> {
  for (const priority of ['high', 'normal', 'low']) await sqs.send(new CreateQueueCommand({ QueueName: `${prefix}${priority}-0` }));
  const { QueueUrl = '' } = await sqs.send(new GetQueueUrlCommand({ QueueName: `${prefix}normal-0` }));
  return QueueUrl.replace(/normal-0$/, '');
}

async function receive(QueueUrl: string): Promise<ReceivedHint[]> {
  const received: ReceivedHint[] = [];
  while (received.length < BATCH) {
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 1 }));
    for (const { MessageId = '', ReceiptHandle = '', Body = '' } of Messages) {
      received.push({ messageId: MessageId, receipt: ReceiptHandle, body: Body, receiveCount: 1, queue: { priority: 'normal', shard: 0 } });
    }
  }
  return received;
}

function report(costs: Record<string, number>): void {
  const rounded = Object.fromEntries(Object.entries(costs).map(([name, value]) => [name, Math.round(value * 100) / 100]));
  const limits: Record<string, number> = {
    ...DESIGN,
    ...Object.fromEntries(
      ['event', 'wait'].flatMap((mode) => [
        [`${mode} write units with the list index`, 4.3],
        [`${mode} write units`, 3.3],
      ]),
    ),
  };
  const table = new Table({
    head: ['for one task, in batches of ten', 'counted', 'at most'],
    colAligns: ['left', 'right', 'right'],
    style: { head: [], border: [] },
  });
  for (const [name, value] of Object.entries(rounded)) table.push([name, value, limits[name] ?? '']);
  console.log(table.toString());
  const over = Object.entries(rounded).filter(([name, value]) => value > (limits[name] ?? Infinity));
  for (const [name, value] of over) console.log(`over: ${name} ${value}`);
  if (process.argv.includes('--json')) console.log(JSON.stringify(rounded));
  process.exitCode = over.length === 0 ? 0 : 1;
}
