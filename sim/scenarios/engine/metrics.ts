import { build, type Histogram } from 'hdr-histogram-js';
import type { World } from './world.ts';

/** Waits are counted in tenths of a millisecond, with three significant digits. */
const PER_MS = 10;
/** A task that waits longer is late, ms. */
export const LATE_MS = 10_000;

export class Waits {
  readonly #histogram: Histogram = build({
    bitBucketSize: 32,
    autoResize: true,
    lowestDiscernibleValue: 1,
    numberOfSignificantValueDigits: 3,
    useWebAssembly: false,
  });

  add(ms: number): void {
    this.#histogram.recordValue(Math.max(0, Math.round(ms * PER_MS)));
  }

  get count(): number {
    return this.#histogram.totalCount;
  }

  /** ms */
  percentile(p: number): number {
    return this.count === 0 ? 0 : this.#histogram.getValueAtPercentile(p) / PER_MS;
  }

  /** ms */
  get max(): number {
    return this.count === 0 ? 0 : this.#histogram.maxValue / PER_MS;
  }
}

/** 0 of nothing. */
export function mean(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / Math.max(1, values.length);
}

/** Sums of a group of tasks, such as those of the tenant that floods. */
export class Group {
  readonly waits = new Waits();
  /** Waits since the last sample of the series. */
  recent = new Waits();
  submitted = 0;
  refused = 0;
  /** Attempts that began. */
  attempts = 0;
  /** Of them those of tasks that were never tried before. */
  firsts = 0;
  throttled = 0;
  failures = 0;
  succeeded = 0;
  dead = 0;
  expired = 0;
}

/** What a run measured over time: a row each interval, of which one field is `seconds`. */
export interface Series {
  readonly rows: Record<string, number>[];
}

export interface MetricsRules {
  readonly groups: number;
  readonly tenants: number;
  /** The group of a tenant's submissions. */
  readonly tenantGroup: (tenant: number) => number;
  /** The group of a task. @default its tenant's */
  readonly taskGroup?: ((task: number) => number) | undefined;
}

/** Measures a run: a group for each task, waits from acceptance to the first attempt, and how things were over time. */
export class Metrics {
  readonly groups: readonly Group[];
  /** By tenant: ms of work done in the time that is measured, tasks submitted, refusals. */
  readonly served: Float64Array;
  readonly submittedOf: Float64Array;
  readonly refusedOf: Float64Array;
  /** Of tasks that are measured: by tenant, and those among them that waited for more than {@link LATE_MS}. */
  readonly startedOf: Float64Array;
  readonly lateOf: Float64Array;
  readonly tenantGroup: (tenant: number) => number;
  readonly series: Series = { rows: [] };
  /** ms: waits and service are measured of tasks accepted from then on. */
  from = 0;
  /** ms: and before that. */
  until = Infinity;
  readonly #world: World;
  readonly #groupOf: ((task: number) => number) | undefined;

  constructor(world: World, { groups, tenants, tenantGroup, taskGroup }: MetricsRules) {
    this.#world = world;
    this.groups = Array.from({ length: groups }, () => new Group());
    this.served = new Float64Array(tenants);
    this.submittedOf = new Float64Array(tenants);
    this.startedOf = new Float64Array(tenants);
    this.lateOf = new Float64Array(tenants);
    this.refusedOf = new Float64Array(tenants);
    this.tenantGroup = tenantGroup;
    this.#groupOf = taskGroup;
  }

  /** Tasks of all groups. */
  get submitted(): number {
    return this.groups.reduce((sum, { submitted }) => sum + submitted, 0);
  }

  groupOf(task: number): Group {
    return this.groups[this.#groupOf ? this.#groupOf(task) : this.tenantGroup(this.#world.tasks.tenant[task]!)]!;
  }

  /** An attempt begins. */
  started(task: number): void {
    const { tasks, now } = this.#world;
    const group = this.groupOf(task);
    group.attempts += 1;
    tasks.starts[task] = Math.min(255, tasks.starts[task]! + 1);
    if (tasks.starts[task] > 1) return;
    group.firsts += 1;
    const accepted = tasks.accepted[task]!;
    group.recent.add(now - accepted);
    this.#waited(task, now - accepted);
  }

  /** Of the tasks that are measured, those that were late. */
  lateIn(group: number): number {
    return this.lateOf.reduce((sum, late, tenant) => sum + (this.tenantGroup(tenant) === group ? late : 0), 0);
  }

  #waited(task: number, ms: number): void {
    const { tasks } = this.#world;
    const accepted = tasks.accepted[task]!;
    if (accepted < this.from || accepted >= this.until) return;
    this.groupOf(task).waits.add(ms);
    const tenant = tasks.tenant[task]!;
    this.startedOf[tenant]! += 1;
    if (ms > LATE_MS) this.lateOf[tenant]! += 1;
  }

  /** At the end: what has not begun has waited for so long at least. */
  count(): void {
    const { tasks, now } = this.#world;
    tasks.forEach((task) => {
      if (tasks.starts[task] === 0) this.#waited(task, now - tasks.accepted[task]!);
    });
  }

  succeeded(task: number): void {
    const { tasks, now } = this.#world;
    this.groupOf(task).succeeded += 1;
    if (now >= this.from && now < this.until) this.served[tasks.tenant[task]!]! += tasks.work[task]!;
  }

  /** Adds a row to the series at each interval, from what it is told to measure. */
  sample(intervalMs: number, measure: () => Record<string, number>): void {
    this.#world.every(
      intervalMs,
      () => {
        this.series.rows.push({ seconds: Math.round(this.#world.now / 100) / 10, ...measure() });
        for (const group of this.groups) group.recent = new Waits();
      },
      intervalMs,
    );
  }
}

/** Jain's index of fairness: 1 when all are equal, 1/n when one has all (Jain, Chiu and Hawe 1984). */
export function jain(values: readonly number[]): number {
  const sum = values.reduce((a, b) => a + b, 0);
  const squares = values.reduce((a, b) => a + b * b, 0);
  return squares === 0 ? 1 : (sum * sum) / (values.length * squares);
}
