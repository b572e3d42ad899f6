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

/** Lanes that one round measures, and hints that it counts: 5 MB to read at most. What is left has its turn in the next. */
const LANES_A_ROUND = 500;
const COUNTED_A_ROUND = 50_000;
const COUNTED_A_LANE = 40;
/** Rounds are about so far apart under load. A backlog that takes longer to count than a round may is counted less often. */
const ROUND_MS = 10_000;
const AT_ONCE = 25;
/** Part of a bound from which on it matters how quickly a tenant's work is started. */
const CLOSE = 0.4;
/** ms after which a measurement says nothing any more. */
const KEPT_MS = 180_000;

export interface Measured {
  readonly waiting: readonly TenantWaiting[];
  readonly lanes: AdmissionState['lanes'];
}

/**
 * Measures the backlogs of tenants that have bounds: how much waits over all their lanes, since when, and how quickly it is
 * started. Starts are the permits that lanes' cells have counted, so the rate is that between two rounds.
 *
 * @param boundsOf of the tenants whose backlogs are bounded
 */
export async function measureWaiting(
  deps: WaitingDeps,
  lanes: readonly Lane[],
  boundsOf: ReadonlyMap<string, AdmissionBounds>,
  before: AdmissionState | undefined,
  now: number,
): Promise<Measured> {
  const byTenant = new Map<string, Lane[]>();
  for (const lane of lanes) {
    if (boundsOf.has(lane.tenant)) byTenant.set(lane.tenant, [...(byTenant.get(lane.tenant) ?? []), lane]);
  }
  const known = new Map((before?.waiting ?? []).filter(({ at }) => now - at <= KEPT_MS).map((each) => [each.tenant, each]));
  // Those that were measured longest ago first.
  const due = [...byTenant]
    .filter(([tenant]) => now >= (known.get(tenant)?.at ?? -Infinity) + restMs(boundsOf.get(tenant)))
    .sort(([a], [b]) => (known.get(a)?.at ?? 0) - (known.get(b)?.at ?? 0));
  const starts = new Map(
    (before?.lanes ?? []).filter(([, , at]) => now - at <= KEPT_MS).map((each) => [laneKey({ tenant: each[0], type: each[1] }), each]),
  );

  const turn: [string, Lane[]][] = [];
  let room = { lanes: LANES_A_ROUND, counted: COUNTED_A_ROUND };
  for (const [tenant, own] of due) {
    const needed = Math.min(COUNTED_A_ROUND, countedOf(boundsOf.get(tenant), own.length));
    if (turn.length > 0 && (own.length > room.lanes || needed > room.counted)) break;
    turn.push([tenant, own]);
    room = { lanes: room.lanes - own.length, counted: room.counted - needed };
  }
  await sideBySide(turn, AT_ONCE, async ([tenant, own]) => {
    const bounds = boundsOf.get(tenant) ?? {};
    const each = Math.max(COUNTED_A_LANE, bounds.backlog === undefined ? 0 : bounds.backlog + 1);
    const sizes = await Promise.all(own.map((lane) => deps.backlog.measure(lane, each)));
    const tasks = sizes.reduce((sum, { count }) => sum + count, 0);
    const oldest = sizes.flatMap(({ oldestAt }) => oldestAt ?? []).reduce((a, b) => Math.min(a, b), Infinity);
    const old = (now - oldest) / 1000 >= CLOSE * (bounds.maxAgeSeconds ?? Infinity);
    const drained = old || tasks >= CLOSE * (bounds.backlog ?? Infinity) ? await drainedOf(deps, own, starts, now) : undefined;
    known.set(tenant, {
      tenant,
      at: now,
      tasks,
      ...(oldest < Infinity && { oldestAt: oldest }),
      ...(drained !== undefined && { drained }),
    });
  });
  // A lane that is not noted any more has nothing waiting.
  return { waiting: [...known.values()].filter(({ tenant }) => byTenant.has(tenant)), lanes: [...starts.values()] };
}

function countedOf({ backlog = 0 }: AdmissionBounds = {}, lanes: number): number {
  return Math.max(COUNTED_A_LANE, backlog) * lanes;
}

function restMs({ backlog = 0 }: AdmissionBounds = {}): number {
  return backlog <= COUNTED_A_ROUND ? 0 : (ROUND_MS * backlog) / COUNTED_A_ROUND;
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
