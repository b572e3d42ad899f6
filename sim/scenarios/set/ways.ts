import type { TaskTypeSpec } from '@sluice/contracts';
import type { AdmissionBounds } from '../../../core/admission/bounds.ts';
import type { PressureRules } from '../../../core/admission/pressure.ts';
import type { Metrics } from '../engine/metrics.ts';
import { hash32 } from '../../../core/routing/shuffle-shard.ts';
import { PARAMETERS } from '../parameters.ts';
import type { Built, Parts } from '../run.ts';
import type { Discipline } from '../systems/disciplines.ts';
import { BreakerGate } from '../systems/breaker-gate.ts';
import { Division, type DivisionRules } from '../systems/division.ts';
import { Door } from '../systems/door.ts';
import { hashed, Pool, type PoolRules } from '../systems/pool.ts';
import { nameOf } from '../systems/shard-queues.ts';
import { Sluice, type SluiceRules } from '../systems/sluice.ts';
import { RetryBudgets } from '../systems/retry-budgets.ts';
import { DEFAULT_BUDGET } from '../../../core/retry/budget.ts';
import { backoffMs } from '../../../core/retry/backoff.ts';

const { shards, shardsPerTenant, concurrency, visibilitySeconds } = PARAMETERS;

/** The defaults of a task type. */
export const RETRY: TaskTypeSpec['retry'] = { maxAttempts: 5, minDelaySeconds: 1, maxDelaySeconds: 900, factor: 2 };

/** SQS alone: a task that did not succeed is seen again when its visibility is over, and after five receives it is dead. */
export function bySqs({ world }: Parts): PoolRules['again'] {
  return (task) => (world.tasks.starts[task]! < RETRY.maxAttempts ? visibilitySeconds * 1000 : undefined);
}

/** The platform's own backoff, and no more attempts than a task type has. */
export function byBackoff({ world }: Parts): PoolRules['again'] {
  const { fraction } = world.chance('backoff');
  return (task) => (world.tasks.starts[task]! < RETRY.maxAttempts ? backoffMs(RETRY, world.tasks.starts[task]!, fraction()) : undefined);
}

export function pool(discipline: (parts: Parts) => Discipline, slots: number, again = bySqs) {
  return (parts: Parts): Built => {
    const system = new Pool(parts.world, parts.metrics, parts.target, discipline(parts), { slots, again: again(parts) });
    return {
      system,
      probe: () => ({ waiting: system.waiting }),
      numbers: () => ({ receivesPerTask: perTask(parts.metrics, system.received) }),
    };
  };
}

/** A queue and its workers for each of n parts of the tenants. */
export function hashToOne(discipline: (parts: Parts) => Discipline, slots: number, n: number) {
  return (parts: Parts): Built => {
    const pools = Array.from(
      { length: n },
      () => new Pool(parts.world, parts.metrics, parts.target, discipline(parts), { slots: slots / n, again: bySqs(parts) }),
    );
    const system = hashed(
      pools,
      (tenant) => hash32(nameOf(tenant)) % n,
      (task) => parts.world.tasks.tenant[task]!,
    );
    const sum = (of: (pool: Pool) => number): number => pools.reduce((all, each) => all + of(each), 0);
    return {
      system,
      probe: () => ({ waiting: sum(({ waiting }) => waiting) }),
      numbers: () => ({
        receivesPerTask: perTask(
          parts.metrics,
          sum(({ received }) => received),
        ),
      }),
    };
  };
}

export interface OurRules extends Partial<SluiceRules> {
  readonly divide?: Omit<DivisionRules, 'concurrency'>;
  /** Admission, with these bounds for each tenant. */
  readonly admit?: AdmissionBounds;
  readonly pressure?: PressureRules;
  /** The type's breaker. @default none */
  readonly breaker?: boolean;
  /** The type's retry budget, the default. @default retries are free */
  readonly retryBudget?: boolean;
}

/** The platform. */
export function sluice({ divide, admit, pressure, breaker, retryBudget, ...rules }: OurRules = {}) {
  return (parts: Parts): Built & { readonly sluice: Sluice } => {
    const { world } = parts;
    const all: SluiceRules = { start: 'event', concurrency, shards, shardsPerTenant, retry: RETRY, ...rules };
    const gate = breaker ? new BreakerGate(world) : undefined;
    let division: Division | undefined;
    const system = new Sluice(parts, {
      ...all,
      gate,
      ...(retryBudget && { budgets: new RetryBudgets(world, DEFAULT_BUDGET) }),
      ...(divide && { permits: (lanes) => (division = new Division(world, { ...divide, concurrency: all.concurrency }, lanes)) }),
    });
    if (gate) gate.onOpen = () => system.goOn();
    if (division) division.onRoom = (lane) => system.hintLane(lane);
    const entrance =
      admit &&
      new Door(world, { bounds: admit, pressure, depth: () => system.queues.depth, waiting: (tenant) => waitingOf(parts, system, tenant) });
    return {
      sluice: system,
      system,
      ...(entrance && { entrance }),
      probe: () => ({ waiting: system.waiting, queued: system.queues.depth, parked: system.parked, breaker: gate?.state ?? 0 }),
      numbers: () => {
        const started = Math.max(1, system.pressed.started);
        const { named, laneHints, parked } = system.pressed;
        return {
          receivesPerTask: named / started,
          laneHintsPerTask: laneHints / started,
          allReceivesPerTask: (named + laneHints) / started,
          extraWritesPerTask: (2 * parked) / started,
          normalOverdue: system.overdue[1]!,
          lowOverdue: system.overdue[2]!,
          ...(entrance && { pressed: entrance.pressed }),
        };
      },
    };
  };
}

function waitingOf({ world }: Parts, { lanes }: Sluice, tenant: number) {
  const lane = lanes.of(tenant);
  const tasks = lane.waiting.reduce((sum, { size }) => sum + size, 0);
  const oldest = Math.min(...lane.waiting.map(({ first }) => (first < 0 ? Infinity : world.tasks.accepted[first]!)));
  return { tasks, oldestSeconds: tasks > 0 ? (world.now - oldest) / 1000 : 0, started: lane.started };
}

function perTask({ groups }: Metrics, number: number): number {
  return (
    number /
    Math.max(
      1,
      groups.reduce((sum, { firsts }) => sum + firsts, 0),
    )
  );
}
