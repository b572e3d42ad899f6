import type { AdmissionState } from '@sluice/contracts';
import { cellLimits } from '../permits/cells.ts';
import type { BacklogStore } from '../ports/backlog-store.ts';
import type { Lane, PermitStore } from '../ports/permit-store.ts';
import type { TypeRegistry } from '../ports/type-registry.ts';
import { sideBySide } from '../tasks/side-by-side.ts';
import type { AdmissionBounds } from './bounds.ts';
import { laneKey } from '../permits/lane-key.ts';

export interface WaitingDeps {
  readonly backlog: BacklogStore;
  readonly permits: PermitStore;
  readonly types: TypeRegistry;
}

export type TenantWaiting = AdmissionState['waiting'][number];

/** Lanes that one round looks at. What is left has its turn in the next. */
const LANES_A_ROUND = 500;
/** Hints that one round counts beyond the first of each lane, all tenants together: some megabytes to read, none to hold. */
const COUNTED_A_ROUND = 50_000;
const COUNTED_A_LANE = 40;
const AT_ONCE = 25;
/** Part of a bound from which on it matters how quickly a tenant's work is started. */
const CLOSE = 0.4;
/** ms after which a measurement says nothing any more. */
const KEPT_MS = 180_000;

export interface WaitingRound {
  readonly lanes: readonly Lane[];
  /** Of the tenants whose backlogs are bounded. */
  readonly boundsOf: ReadonlyMap<string, AdmissionBounds>;
  /** Tenants that are measured before the others. */
  readonly first: readonly string[];
  readonly before: AdmissionState | undefined;
  readonly now: number;
}

export interface Measured {
  readonly waiting: readonly TenantWaiting[];
  readonly lanes: AdmissionState['lanes'];
}

/** What a look at the beginnings of a tenant's lanes has shown. */
interface Beginnings {
  readonly tenant: string;
  readonly lanes: readonly Lane[];
  readonly tasks: number;
  readonly oldestAt: number | undefined;
  /** Lanes that have more, and where that begins, in the order of their types. */
  readonly long: readonly { readonly lane: Lane; readonly next: string }[];
}

/**
 * Measures the backlogs of tenants that have bounds: how much waits over all their lanes, since when, and how quickly it is
 * started. Starts are the permits that lanes' cells have counted, so the rate is that between two rounds.
 *
 * A round counts so many hints and no more, divided so that a tenant with much leaves the others what they need. A count
 * that this is not enough for goes on in the next round; until it has come to its end, the one before it stands, or what
 * has been counted if that is more.
 */
export async function measureWaiting(deps: WaitingDeps, { lanes, boundsOf, first, before, now }: WaitingRound): Promise<Measured> {
  const byTenant = new Map<string, Lane[]>();
  for (const lane of lanes) {
    if (boundsOf.has(lane.tenant)) byTenant.set(lane.tenant, [...(byTenant.get(lane.tenant) ?? []), lane]);
  }
  const known = new Map((before?.waiting ?? []).filter(({ at }) => now - at <= KEPT_MS).map((each) => [each.tenant, each]));
  const starts = new Map(
    (before?.lanes ?? []).filter(([, , at]) => now - at <= KEPT_MS).map((each) => [laneKey({ tenant: each[0], type: each[1] }), each]),
  );
  const isFirst = new Set(first);
  const measure: Measure = (lane, most, from) => deps.backlog.measure(lane, most, from);
  const beginnings = await begin(measure, turnOf(byTenant, isFirst, known));
  const missing = beginnings.map(({ tenant, tasks, long }) =>
    long.length === 0 ? 0 : Math.max(0, (boundsOf.get(tenant)?.backlog ?? 0) + 1 - tasks - (known.get(tenant)?.counting?.tasks ?? 0)),
  );
  const parts = partsOf(
    missing,
    beginnings.map(({ tenant }) => isFirst.has(tenant)),
  );
  await sideBySide([...beginnings.entries()], AT_ONCE, async ([n, seen]) => {
    const { tenant, oldestAt } = seen;
    const bounds = boundsOf.get(tenant) ?? {};
    const last = known.get(tenant);
    const { beyond, counting } = await countOn(measure, seen, last?.counting, parts[n] ?? 0);
    const counted = seen.tasks + beyond;
    const goesOn = counting !== undefined && counted <= (bounds.backlog ?? 0);
    const tasks = goesOn ? Math.max(counted, last?.tasks ?? 0) : counted;
    const old = oldestAt !== undefined && (now - oldestAt) / 1000 >= CLOSE * (bounds.maxAgeSeconds ?? Infinity);
    const drained = old || tasks >= CLOSE * (bounds.backlog ?? Infinity) ? await drainedOf(deps, seen.lanes, starts, now) : undefined;
    known.set(tenant, {
      tenant,
      at: now,
      tasks,
      ...(oldestAt !== undefined && { oldestAt }),
      ...(drained !== undefined && { drained }),
      ...(goesOn && { counting }),
    });
  });
  // A lane that is not noted any more has nothing waiting.
  return { waiting: [...known.values()].filter(({ tenant }) => byTenant.has(tenant)), lanes: [...starts.values()] };
}

/** Whose lanes this round looks at: those that were measured longest ago come first, and one in any case. */
function turnOf(
  byTenant: ReadonlyMap<string, readonly Lane[]>,
  first: ReadonlySet<string>,
  known: ReadonlyMap<string, TenantWaiting>,
): readonly (readonly [string, readonly Lane[]])[] {
  const at = (tenant: string): number => (first.has(tenant) ? -1 : (known.get(tenant)?.at ?? 0));
  const due = [...byTenant].sort(([a], [b]) => at(a) - at(b));
  let room = LANES_A_ROUND;
  const turn: (readonly [string, readonly Lane[]])[] = [];
  for (const [tenant, own] of due) {
    if (turn.length > 0 && own.length > room) break;
    turn.push([tenant, own.toSorted((a, b) => (a.type < b.type ? -1 : 1))]);
    room -= own.length;
  }
  return turn;
}

async function begin(measure: Measure, turn: readonly (readonly [string, readonly Lane[]])[]): Promise<readonly Beginnings[]> {
  const all = turn.flatMap(([, lanes]) => lanes);
  const sizes = await sideBySide(all, AT_ONCE, (lane) => measure(lane, COUNTED_A_LANE));
  const sizeOf = new Map(all.map((lane, n) => [lane, sizes[n]]));
  return turn.map(([tenant, lanes]) => {
    const own = lanes.flatMap((lane) => sizeOf.get(lane) ?? []);
    const ats = own.flatMap(({ oldestAt }) => oldestAt ?? []);
    return {
      tenant,
      lanes,
      tasks: own.reduce((sum, { count }) => sum + count, 0),
      oldestAt: ats.length > 0 ? ats.reduce((a, b) => Math.min(a, b)) : undefined,
      long: lanes.flatMap((lane) => {
        const next = sizeOf.get(lane)?.next;
        return next === undefined ? [] : [{ lane, next }];
      }),
    };
  });
}

/** Divides what a round counts among those that need it: first those that come first, then the others, each group evenly. */
function partsOf(missing: readonly number[], isFirst: readonly boolean[]): readonly number[] {
  const parts = missing.map(() => 0);
  let room = COUNTED_A_ROUND;
  for (const group of [true, false]) {
    const of = [...missing.keys()].filter((n) => isFirst[n] === group).sort((a, b) => (missing[a] ?? 0) - (missing[b] ?? 0));
    for (const [place, n] of of.entries()) {
      parts[n] = Math.min(missing[n] ?? 0, Math.floor(room / (of.length - place)));
      room -= parts[n];
    }
  }
  return parts;
}

type Measure = BacklogStore['measure'];
type Counting = NonNullable<TenantWaiting['counting']>;

/** Counts behind the beginnings of a tenant's lanes, one after the other. @returns where the next round goes on, if it shall */
async function countOn(
  measure: Measure,
  { long }: Beginnings,
  before: Counting | undefined,
  most: number,
): Promise<{ readonly beyond: number; readonly counting?: Counting }> {
  let beyond = before?.tasks ?? 0;
  let left = most;
  for (const { lane, next } of long) {
    const { type } = lane;
    if (before && type < before.type) continue;
    const from = type === before?.type ? before.from : next;
    if (left <= 0) return { beyond, counting: { tasks: beyond, type, from } };
    const size = await measure(lane, left, from);
    beyond += size.count;
    left -= size.count;
    if (size.next !== undefined) return { beyond, counting: { tasks: beyond, type, from: size.next } };
  }
  return { beyond };
}

type Starts = Map<string, AdmissionState['lanes'][number]>;

/** Tasks a second that a tenant's lanes have started since they were looked at last; `undefined` the first time. */
async function drainedOf(deps: WaitingDeps, lanes: readonly Lane[], starts: Starts, now: number): Promise<number | undefined> {
  const rates = await Promise.all(
    lanes.map(async (lane) => {
      const spec = await deps.types.get(lane.type);
      if (!spec) return 0;
      const cells = await Promise.all(cellLimits(spec.concurrency).map((_, cell) => deps.permits.read(lane, cell)));
      const started = cells.reduce((sum, { budget }) => sum + (budget?.firsts ?? 0) + (budget?.retries ?? 0), 0);
      const key = laneKey(lane);
      const last = starts.get(key);
      starts.set(key, [lane.tenant, lane.type, now, started]);
      if (!last || now <= last[2]) return undefined;
      return (1000 * Math.max(0, started - last[3])) / (now - last[2]);
    }),
  );
  return rates.includes(undefined) ? undefined : rates.reduce<number>((sum, rate) => sum + (rate ?? 0), 0);
}
