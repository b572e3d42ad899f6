import type { DestinationRecord, NotifyRules, TaskRow, TaskTypeSpec } from '@sluice/contracts';
import {
  createMemoryClock,
  createMemoryRandom,
  createMemoryStarter,
  type MemoryHandler,
  type MemoryQueues,
  type MemoryStarterConfig,
} from '../../adapters/memory/index.ts';
import { dispatch } from '../../core/dispatch/dispatch.ts';
import type { DispatchDeps } from '../../core/dispatch/work.ts';
import { cellLimits, livePermits } from '../../core/permits/cells.ts';
import type { Permit } from '../../core/ports/permit-store.ts';
import { settleRecords } from '../../core/settle/settle-records.ts';
import type { HeavyHitterDeps } from '../../core/admission/heavy-hitters.ts';
import type { BreakerViewDeps } from '../../core/breakers/list.ts';
import type { LaneDeps } from '../../core/lanes/get.ts';
import type { LaneListDeps } from '../../core/lanes/list.ts';
import type { ShardMapDeps } from '../../core/routing/shard-map.ts';
import type { QuotaDeps } from '../../core/quotas/manage.ts';
import type { RedriveDeps } from '../../core/redrive/operate.ts';
import { submitTasks, type SubmitResult } from '../../core/submit/submit.ts';
import { LOOK_MS } from '../../core/dispatch/attend.ts';
import type { DivideDeps } from '../../core/control/divide-capacities.ts';
import { minuteTick, type TickDeps } from '../../core/timers/minute-tick.ts';
import { isTerminal } from '../../core/tasks/state.ts';
import { createServices } from '../../sim/services.ts';
import { typeSpec } from '../../sim/type-spec.ts';

export interface WorldConfig {
  readonly types?: readonly TaskTypeSpec[];
  readonly handlers?: Record<string, MemoryHandler>;
  readonly before?: MemoryStarterConfig['before'];
  /** When an `event` attempt runs. @default at once */
  readonly launch?: MemoryStarterConfig['launch'];
  readonly seed?: number;
  /** ms by which what dispatch knows of breakers is late. @default 0 */
  readonly breakersLateMs?: number;
  /** ms by which the table deletes rows and attempts late. @default 0 */
  readonly ttlLateMs?: number;
  readonly notifyRules?: NotifyRules;
  /** Receives after which a hint goes to the dead ones. @default never */
  readonly maxReceives?: number;
}

export { typeSpec };

/** What every invocation needs of the world; the queue deletes too, as the event source does. */
export type WorldDeps = DispatchDeps &
  DivideDeps &
  RedriveDeps &
  TickDeps &
  QuotaDeps &
  HeavyHitterDeps &
  LaneDeps &
  Omit<LaneListDeps, 'tokens'> &
  BreakerViewDeps &
  Pick<ShardMapDeps, 'routes'> & { readonly queue: Pick<MemoryQueues, 'remove'> };

export type World = ReturnType<typeof createWorld>;

/** The whole platform on memory adapters and a clock that stands still until `run` or `advance` moves it. */
export function createWorld(config: WorldConfig = {}) {
  const clock = createMemoryClock();
  const random = createMemoryRandom(config.seed ?? 1);
  const services = createServices({
    clock,
    random,
    types: config.types ?? [typeSpec('echo')],
    ...(config.notifyRules && { notifyRules: config.notifyRules }),
    ...(config.breakersLateMs !== undefined && { breakersLateMs: config.breakersLateMs }),
    ...(config.ttlLateMs !== undefined && { ttlLateMs: config.ttlLateMs }),
    queues: { ...(config.maxReceives !== undefined && { maxReceives: config.maxReceives }) },
  });
  const records: { body: string; messageId: string }[] = [];
  let recorded = 0;
  const onRecord = (record: DestinationRecord) => void records.push({ body: JSON.stringify(record), messageId: `o${++recorded}` });
  const handlers = config.handlers ?? {};
  const starter = createMemoryStarter({
    clock,
    handlers,
    onRecord,
    ...(config.before && { before: config.before }),
    ...(config.launch && { launch: config.launch }),
  });
  const { tasks, queue, events, telemetry, types, schedules, breakers, divisions } = services;
  // Whoever looks again at a full lane does it some time later; other waits are over at once.
  const timer = { sleep: async (ms: number) => void (ms === LOOK_MS && clock.advance(ms)) };
  const deps: WorldDeps = { ...services, starter, timer };
  const noted = new Map<string, number>();
  let ticked = Math.floor(clock.now() / 60_000);

  // Each takes the ports of one invocation, so that a test can let that invocation alone fail.
  const submitBy = (ports: WorldDeps, tenant: string, ...submissions: unknown[]): Promise<readonly SubmitResult[]> =>
    submitTasks(ports, tenant, submissions);
  const submit = (tenant: string, ...submissions: unknown[]): Promise<readonly SubmitResult[]> => submitBy(deps, tenant, ...submissions);

  /** One invocation of dispatch; when it throws, its messages stay in flight. @returns how many were received. */
  async function dispatchOnce(ports: WorldDeps = deps, max = 10): Promise<number> {
    const received = await queue.receive(max);
    if (received.length === 0) return 0;
    const kept = await dispatch(ports, received, { noted, deadline: clock.now() + 180_000 });
    for (const message of received) if (!kept.includes(message.messageId)) await ports.queue.remove(message.receipt);
    return received.length;
  }

  /** One invocation of settle; when it throws, its records come again. @returns how many were received. */
  async function settleOnce(ports: WorldDeps = deps, max = 10): Promise<number> {
    const batch = records.splice(0, max);
    let failed: readonly string[] = batch.map((record) => record.messageId);
    try {
      if (batch.length > 0) failed = await settleRecords(ports, batch);
    } finally {
      records.push(...batch.filter((record) => failed.includes(record.messageId)));
    }
    return batch.length;
  }

  const tick = (ports: WorldDeps = deps): Promise<void> => minuteTick(ports, clock.now() + 60_000);

  /** Receives once from all queues, and settles what has been recorded. @returns whether there was anything to do. */
  async function pump(ports: WorldDeps = deps): Promise<boolean> {
    const received = await dispatchOnce(ports);
    await starter.idle();
    const settled = await settleOnce(ports);
    const minute = Math.floor(clock.now() / 60_000);
    if (minute > ticked) {
      ticked = minute;
      await tick(ports);
    }
    return received > 0 || settled > 0;
  }

  /** Pumps, and lets time pass to the next thing that is due, until every task is terminal or the time is over. */
  async function run(ms = 3_600_000, ports: WorldDeps = deps): Promise<void> {
    const end = clock.now() + ms;
    while (clock.now() < end) {
      while (await pump(ports));
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
  /** The permits of a lane, in all of its cells; one that has expired is held no more. */
  const permitsIn = async (tenant: string, type: string): Promise<readonly Permit[]> => {
    const limits = cellLimits((await types.get(type))?.concurrency ?? 1);
    const cells = await Promise.all(limits.map((_, cell) => deps.permits.read({ tenant, type }, cell)));
    return cells.flatMap((cell) => livePermits(cell, clock.now()));
  };
  const held = async (tenant: string, type: string) => (await permitsIn(tenant, type)).length;

  return {
    ...deps,
    breakersOf: breakers,
    divisions,
    clock,
    queue,
    tasks,
    schedules,
    events,
    telemetry,
    types,
    starter,
    deps,
    handlers,
    records,
    noted,
    submit,
    submitBy,
    dispatchOnce,
    settleOnce,
    tick,
    pump,
    run,
    row,
    permitsIn,
    held,
  };
}
