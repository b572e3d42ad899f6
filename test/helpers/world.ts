import { createHash } from 'node:crypto';
import type { DestinationRecord, TaskRow, TaskTypeSpec } from '@sluice/contracts';
import {
  createMemoryBacklogStore,
  createMemoryBucketStore,
  createMemoryClock,
  createMemoryEventBus,
  createMemoryPermitStore,
  createMemoryQueues,
  createMemoryRandom,
  createMemoryStarter,
  createMemoryTaskStore,
  createMemoryTelemetry,
  createMemoryTypeRegistry,
  createMemoryValueStore,
  type MemoryHandler,
  type MemoryStarterConfig,
} from '../../adapters/memory/index.ts';
import { dispatch } from '../../core/dispatch/dispatch.ts';
import type { DispatchDeps } from '../../core/dispatch/work.ts';
import { settleRecords } from '../../core/settle/settle-records.ts';
import { submitTasks, type SubmitDeps, type SubmitResult } from '../../core/submit/submit.ts';
import { minuteTick, type TickDeps } from '../../core/timers/minute-tick.ts';
import { isTerminal } from '../../core/tasks/state.ts';

export interface WorldConfig {
  readonly types?: readonly TaskTypeSpec[];
  readonly handlers?: Record<string, MemoryHandler>;
  readonly before?: MemoryStarterConfig['before'];
  readonly seed?: number;
}

export function typeSpec(type: string, over: Partial<TaskTypeSpec> = {}): TaskTypeSpec {
  return {
    v: 1,
    type,
    handler: { kind: 'lambda', arn: `arn:aws:lambda:us-east-1:000000000000:function:${type}:sluice` },
    start: 'event',
    timeoutSeconds: 30,
    concurrency: 100,
    retry: { maxAttempts: 3, minDelaySeconds: 1, maxDelaySeconds: 60, factor: 2 },
    dedupWindowSeconds: 86_400,
    ...over,
  };
}

export type World = ReturnType<typeof createWorld>;

/** The whole platform on memory adapters and a clock that stands still until `run` or `advance` moves it. */
export function createWorld(config: WorldConfig = {}) {
  const clock = createMemoryClock();
  const random = createMemoryRandom(config.seed ?? 1);
  const queue = createMemoryQueues({ clock, random, visibilitySeconds: 180 });
  const records: { body: string; messageId: string }[] = [];
  const onRecord = (record: DestinationRecord) => void records.push({ body: JSON.stringify(record), messageId: `o${records.length}` });
  const handlers = config.handlers ?? {};
  const starter = createMemoryStarter({ clock, handlers, onRecord, ...(config.before && { before: config.before }) });
  const tasks = createMemoryTaskStore();
  const events = createMemoryEventBus();
  const telemetry = createMemoryTelemetry();
  const types = createMemoryTypeRegistry(config.types ?? [typeSpec('echo')]);
  const deps = {
    clock,
    random,
    queue,
    buckets: createMemoryBucketStore(),
    routing: { shards: 4, shardsPerTenant: 2 },
    permits: createMemoryPermitStore(),
    backlog: createMemoryBacklogStore(),
    tasks,
    values: createMemoryValueStore(),
    types,
    events,
    telemetry,
    starter,
    dead: queue.dead,
    timer: { sleep: async () => {} },
    hasher: { sha256: (text: string) => createHash('sha256').update(text).digest('base64url') },
  } satisfies DispatchDeps & SubmitDeps & TickDeps;
  const noted = new Map<string, number>();
  let ticked = Math.floor(clock.now() / 60_000);

  const submit = (tenant: string, ...submissions: unknown[]): Promise<readonly SubmitResult[]> => submitTasks(deps, tenant, submissions);

  /** Receives once from all queues, and settles what has been recorded. @returns whether there was anything to do. */
  async function pump(): Promise<boolean> {
    const received = await queue.receive(10);
    if (received.length > 0) {
      const kept = await dispatch(deps, received, { noted, deadline: clock.now() + 180_000 });
      for (const message of received) if (!kept.includes(message.messageId)) await queue.remove(message.receipt);
    }
    await starter.idle();
    const batch = records.splice(0, 10);
    if (batch.length > 0) {
      const failed = await settleRecords(deps, batch);
      records.push(...batch.filter((record) => failed.includes(record.messageId)));
    }
    const minute = Math.floor(clock.now() / 60_000);
    if (minute > ticked) {
      ticked = minute;
      await minuteTick(deps, clock.now() + 60_000);
    }
    return received.length > 0 || batch.length > 0;
  }

  /** Pumps, and lets time pass to the next thing that is due, until every task is terminal or the time is over. */
  async function run(ms = 3_600_000): Promise<void> {
    const end = clock.now() + ms;
    while (clock.now() < end) {
      while (await pump());
      if (tasks.rows().every((row) => isTerminal(row.state))) return;
      const nextMinute = (Math.floor(clock.now() / 60_000) + 1) * 60_000;
      clock.set(Math.min(end, queue.nextVisibleAt() ?? end, nextMinute));
    }
  }

  const row = async (tenant: string, id: string): Promise<TaskRow> => {
    const found = await tasks.get(tenant, id);
    if (!found) throw new Error(`no row ${tenant} ${id}`);
    return found;
  };
  const held = async (tenant: string, type: string, cell = 0) => (await deps.permits.read({ tenant, type }, cell)).permits.length;

  return { ...deps, deps, handlers, records, noted, submit, pump, run, row, held };
}
