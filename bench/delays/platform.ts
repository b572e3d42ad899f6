import type { TaskTypeSpec } from '@sluice/contracts';
import {
  createMemoryBacklogStore,
  createMemoryBucketStore,
  createMemoryEventBus,
  createMemoryPermitStore,
  createMemoryQueues,
  createMemoryRandom,
  createMemoryScheduleStore,
  createMemoryStarter,
  createMemoryTaskStore,
  createMemoryTypeRegistry,
  createMemoryValueStore,
  createMemoryWebhookSecretStore,
} from '../../adapters/memory/index.ts';
import { systemHasher } from '../../adapters/system.ts';
import { dispatch } from '../../core/dispatch/dispatch.ts';
import type { NotedLanes } from '../../core/dispatch/park.ts';
import { MINUTE_MS, minuteOf } from '../../core/hints/timing.ts';
import type { HintQueue, QueueRef } from '../../core/ports/hint-queue.ts';
import type { Starter } from '../../core/ports/starter.ts';
import type { Telemetry } from '../../core/ports/telemetry.ts';
import { settleRecords, type ReceivedRecord } from '../../core/settle/settle-records.ts';
import { submitTasks } from '../../core/submit/submit.ts';
import { minuteTick } from '../../core/timers/minute-tick.ts';
import { createPace } from './ports.ts';
import { createSource } from './source.ts';
import type { VirtualTime } from './virtual-time.ts';

/** The pool as it is deployed by default. */
const ROUTING = { shards: 8, shardsPerTenant: 2 };
const BATCH = 10;
const HANDLER_MS = 200;
const TIMERS_MS = 285_000;
const DISPATCH_MS = 180_000;

export interface PlatformOptions {
  readonly time: VirtualTime;
  readonly types: readonly TaskTypeSpec[];
  /** ms after its full minute that a tick comes; EventBridge promises a minute. */
  readonly tickLateMs: (chance: number) => number;
  readonly seed: number;
  /** Items of a bucket in a page of 1 MB: 12 of 500 hints, thousands of one. */
  readonly itemsAPage: number;
}

const silent: Telemetry = { count: () => undefined, measure: () => undefined, log: () => undefined };

/** The production core on memory adapters by virtual time, with what calls take and what Lambda does at once. */
export function createPlatform({ time, types, tickLateMs, seed, itemsAPage }: PlatformOptions) {
  const clock = { now: time.now };
  const random = createMemoryRandom(seed);
  const counts = { bucketWrites: 0, moverSends: 0 };
  const started = new Map<string, number>();
  const records: ReceivedRecord[] = [];
  let recorded = 0;
  const stores = {
    tasks: createMemoryTaskStore(),
    values: createMemoryValueStore(),
    permits: createMemoryPermitStore(),
    backlog: createMemoryBacklogStore(),
    buckets: createMemoryBucketStore({ pageSize: itemsAPage }),
    types: createMemoryTypeRegistry(types),
  };
  const lambda = createMemoryStarter({
    clock,
    handlers: Object.fromEntries(types.map(({ type }) => [type, () => null])),
    onRecord: (record) => {
      records.push({ messageId: `o${++recorded}`, body: JSON.stringify(record) });
      outcomes.look();
    },
    launch: (run) => void time.sleep(HANDLER_MS).then(run),
  });
  const start: Starter['start'] = (spec, mode, envelope) => {
    const key = `${envelope.sluice.tenant}#${envelope.sluice.task}`;
    if (!started.has(key)) started.set(key, time.now());
    return lambda.start(spec, mode, envelope);
  };

  /** The ports of one environment. */
  const newEnvironment = (onSend: (calls: number) => void = () => undefined) => {
    const pace = createPace(time);
    const { buckets } = stores;
    const table = pace.table(buckets);
    const queue: HintQueue = {
      send: async (sends) => {
        const calls = await pace.send(sends, async (batch) => {
          const [first] = batch;
          if (first) await shardOf(first.queue).send(batch);
        });
        onSend(calls);
        return sends.map(() => true);
      },
      giveBack: async (hint, seconds) => shardOf(hint.queue).giveBack(hint, seconds),
    };
    return {
      clock,
      random,
      queue,
      routing: ROUTING,
      telemetry: silent,
      hasher: systemHasher,
      timer: { sleep: time.sleep },
      events: createMemoryEventBus(),
      types: stores.types,
      tasks: pace.table(stores.tasks),
      values: pace.table(stores.values),
      permits: pace.table(stores.permits),
      backlog: pace.table(stores.backlog),
      starter: pace.starter({ start }),
      schedules: createMemoryScheduleStore(),
      webhookSecrets: createMemoryWebhookSecretStore(),
      notifyRules: { queues: {}, ports: [], hosts: [] },
      dead: { receive: async () => [], remove: async () => undefined },
      buckets: {
        shards: buckets.shards,
        cursor: table.cursor,
        advance: table.advance,
        put: (...args: Parameters<typeof buckets.put>) => {
          counts.bucketWrites += 1;
          return table.put(...args);
        },
        read: (minute: number, shard: number) => pace.pages(buckets.read(minute, shard)),
      },
      noted: new Map() as NotedLanes,
    };
  };

  const shards = new Map<string, ReturnType<typeof newShard>>();
  const shardOf = (queue: QueueRef): ReturnType<typeof newShard> => {
    const name = `${queue.priority}-${queue.shard}`;
    const shard = shards.get(name) ?? newShard();
    shards.set(name, shard);
    return shard;
  };
  /** A queue with its event source. */
  const newShard = () => {
    const queue = createMemoryQueues({ clock, random, visibilitySeconds: DISPATCH_MS / 1000 });
    const source = createSource({
      time,
      newEnvironment: () => newEnvironment(),
      waiting: () => queue.counts().visible,
      nextAt: () => queue.nextVisibleAt(),
      take: async () => {
        const received = await queue.receive(BATCH);
        return received.length === 0 ? undefined : received;
      },
      run: async (environment, received) => {
        const kept = await dispatch(environment, received, { noted: environment.noted, deadline: time.now() + DISPATCH_MS });
        for (const { messageId, receipt } of received) if (!kept.includes(messageId)) await queue.remove(receipt);
      },
    });
    const send: HintQueue['send'] = async (sends) => {
      const sent = await queue.send(sends);
      source.look();
      return sent;
    };
    return { send, giveBack: queue.giveBack };
  };
  const outcomes = createSource({
    time,
    newEnvironment: () => newEnvironment(),
    waiting: () => records.length,
    nextAt: () => undefined,
    take: async () => (records.length === 0 ? undefined : records.splice(0, BATCH)),
    run: async (environment, batch) => {
      const failed = await settleRecords(environment, batch);
      if (failed.length > 0) throw new Error(`${failed.length} outcomes could not be settled`);
    },
  });

  /** Lets the minute's ticks come, each in its own time, from now on. */
  const tick = async (): Promise<void> => {
    const environment = newEnvironment((calls) => (counts.moverSends += calls));
    for (;;) {
      await time.sleep((minuteOf(time.now()) + 1) * MINUTE_MS - time.now());
      void time.sleep(tickLateMs(random.fraction())).then(() => minuteTick(environment, time.now() + TIMERS_MS));
    }
  };
  const api = newEnvironment();
  return {
    counts,
    started,
    tick,
    submit: (tenant: string, submissions: readonly unknown[]) => submitTasks(api, tenant, submissions),
  };
}
