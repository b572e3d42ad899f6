import { LIMITS, type LaneList, type LaneListQuery, type LaneSummary, type Quota, type TaskTypeSpec } from '@sluice/contracts';
import { breakersOfType } from '../breakers/keys.ts';
import { laneRules, NO_RULES } from '../limits/lane-rules.ts';
import { hasBacklog, hasRetries, livePermits, mostCells, cellPausedUntil } from '../permits/cells.ts';
import { laneKey } from '../permits/lane-key.ts';
import type { BacklogStore } from '../ports/backlog-store.ts';
import type { BreakerList } from '../ports/breaker-list.ts';
import type { Clock } from '../ports/clock.ts';
import type { DivisionStore } from '../ports/division-store.ts';
import type { Hasher } from '../ports/hasher.ts';
import type { LaneReadings } from '../ports/lane-readings.ts';
import type { Cell, Lane } from '../ports/permit-store.ts';
import type { RoutingStore } from '../ports/routing-store.ts';
import type { QuotaStore } from '../ports/quota-store.ts';
import type { TokenStore } from '../ports/token-store.ts';
import type { ResourceRegistry, TypeRegistry } from '../ports/type-registry.ts';
import { knownTenants } from '../routing/known-tenants.ts';
import { sideBySide } from '../tasks/side-by-side.ts';
import { candidates } from './candidates.ts';
import { capacitiesOf, givenBy } from './capacities.ts';
import { LANE_CURSORS } from './lane-cursor.ts';
import { summaryOf } from './summary.ts';

export interface LaneListDeps {
  readonly laneReadings: LaneReadings;
  readonly backlog: Pick<BacklogStore, 'lanes' | 'measure'>;
  readonly breakerList: BreakerList;
  readonly types: TypeRegistry & ResourceRegistry;
  readonly divisions: Pick<DivisionStore, 'grants'>;
  readonly quotas: Pick<QuotaStore, 'get' | 'list'>;
  readonly tokens: Pick<TokenStore, 'tenants'>;
  readonly routes: RoutingStore;
  readonly hasher: Hasher;
  readonly clock: Clock;
}

const PAGE = 50;
/** Lanes that are looked at for one page, in use or not, and at once. */
const LOOKED_AT = 1_000;
const AT_ONCE = 100;
/** Lanes whose backlog is measured at once, and hints that are counted of one. */
const MEASURED_AT_ONCE = 25;
const COUNTED = 200;

/** All tenants. */
const ALL = '*';

/**
 * The lanes that are in use, by tenant and type: those that hold a permit or a share, have a backlog, or pause. They are
 * looked for among the tenants that are known and the types that are deployed, so that no start pays for being found.
 * @param caller the tenant of the credentials
 * @throws SluiceError `bad_cursor`, `unavailable`
 */
export async function listLanes(deps: LaneListDeps, caller: string, query: LaneListQuery): Promise<LaneList> {
  const { limit = PAGE, cursor, ...filters } = query;
  const after = cursor === undefined ? undefined : LANE_CURSORS.positionOf(deps.hasher, caller, filters, cursor);
  const most = Math.min(limit, LIMITS.lanePage);
  const world = await look(deps, filters.tenant ?? caller, filters);
  const found: Seen[] = [];
  let looked = 0;
  let last: Lane | undefined;
  const all = candidates(world.places, after);
  let rest = true;
  while (rest && found.length < most && looked < LOOKED_AT) {
    const part = take(all, AT_ONCE);
    rest = part.length === AT_ONCE;
    looked += part.length;
    const used = (await readCells(deps, world, part)).filter((seen) => isListed(seen, world, deps.clock.now(), filters.waiting === 'true'));
    const room = most - found.length;
    found.push(...used.slice(0, room));
    if (used.length > room) rest = true;
    last = used.length >= room ? (used[room - 1]?.lane ?? last) : (part.at(-1) ?? last);
    if (used.length >= room) break;
  }
  const lanes = await sideBySide(found, MEASURED_AT_ONCE, (seen) => summarise(deps, world, seen));
  return { lanes, ...(rest && last && { cursor: LANE_CURSORS.at(deps.hasher, caller, filters, last) }) };
}

interface Seen {
  readonly lane: Lane;
  readonly cells: readonly Cell[];
}

type World = Awaited<ReturnType<typeof look>>;

/** What is read once for a page. */
async function look(deps: LaneListDeps, asked: string, { type, waiting }: Pick<LaneListQuery, 'type' | 'waiting'>) {
  const [names, resources, grants, noted, breakers] = await Promise.all([
    deps.types.names(),
    deps.types.resources(),
    deps.divisions.grants(),
    deps.backlog.lanes(),
    deps.breakerList.all(),
  ]);
  const specs = await Promise.all(names.map((name) => deps.types.get(name)));
  const types = new Map(specs.flatMap((spec): [string, TaskTypeSpec][] => (spec ? [[spec.type, spec]] : [])));
  const fits = (lane: Lane): boolean => (asked === ALL || lane.tenant === asked) && (type === undefined || lane.type === type);
  const lanes = noted.map(({ lane }) => lane).filter(fits);
  const isWaiting = waiting === 'true';
  return {
    types,
    resources,
    given: givenBy(grants, types),
    breakers: new Map(breakers.map((breaker) => [breaker.key, breaker])),
    noted: new Set(lanes.map(laneKey)),
    quotas: new Map<string, Promise<Quota | undefined>>(),
    places: {
      // A lane with a backlog is always noted.
      tenants: isWaiting ? [] : asked === ALL ? await knownTenants(deps) : [asked],
      types: names.filter((name) => type === undefined || name === type),
      noted: lanes,
      grants: isWaiting ? [] : grants.filter(fits),
    },
  };
}

function take(lanes: Generator<Lane, void, void>, most: number): readonly Lane[] {
  const taken: Lane[] = [];
  while (taken.length < most) {
    const next = lanes.next();
    if (next.done) break;
    taken.push(next.value);
  }
  return taken;
}

/** The first cells of all, and then the others of those that have some. */
async function readCells({ laneReadings }: LaneListDeps, { types }: World, lanes: readonly Lane[]): Promise<readonly Seen[]> {
  const firsts = await laneReadings.cells(lanes.map((lane) => ({ lane, cell: 0 })));
  const others = lanes.flatMap((lane, i) => {
    const spec = types.get(lane.type);
    const first = firsts[i];
    if (!first || !wasUsed(first)) return [];
    return Array.from({ length: mostCells(spec ? laneRules(spec) : NO_RULES, first) - 1 }, (_, n) => ({ lane, cell: n + 1 }));
  });
  const more = others.length > 0 ? await laneReadings.cells(others) : [];
  const byLane = new Map<Lane, Cell[]>(lanes.map((lane, i) => [lane, firsts[i] ? [firsts[i]] : []]));
  others.forEach(({ lane }, i) => {
    const cell = more[i];
    if (cell) byLane.get(lane)?.push(cell);
  });
  return lanes.map((lane) => ({ lane, cells: byLane.get(lane) ?? [] }));
}

/** Of a lane that was ever used, its first cell has something to tell. */
function wasUsed({ permits, raised, budget, share, good }: Cell): boolean {
  return permits.length > 0 || raised > 0 || budget !== undefined || share !== undefined || good !== undefined;
}

function isListed({ lane, cells }: Seen, { types, noted }: World, now: number, waitingOnly: boolean): boolean {
  const waits = cells.some((cell) => hasBacklog(cell) || hasRetries(cell));
  if (waits || waitingOnly) return waits;
  const spec = types.get(lane.type);
  const rules = spec ? laneRules(spec) : NO_RULES;
  return (
    noted.has(laneKey(lane)) ||
    cells.some((cell) => livePermits(cell, now).length > 0 || (cell.share?.share ?? 0) > 0 || cellPausedUntil(rules, cell) > now)
  );
}

async function summarise(deps: LaneListDeps, world: World, { lane, cells }: Seen): Promise<LaneSummary> {
  const waits = cells.some((cell) => hasBacklog(cell) || hasRetries(cell));
  const waiting = waits ? await deps.backlog.measure(lane, COUNTED) : { count: 0, more: false, oldestAt: undefined };
  const spec = world.types.get(lane.type);
  const quota = await quotaOf(deps, world, lane.tenant);
  const capacities = capacitiesOf(lane, spec, quota, world.resources, world.given);
  const breakers = (await breakersOfType(deps.types, lane.type)).map((key) => world.breakers.get(key));
  return summaryOf({ lane, spec, cells, breakers, capacities, waiting }, deps.clock.now());
}

/** Each tenant's is read once. */
function quotaOf({ quotas }: LaneListDeps, { quotas: known }: World, tenant: string): Promise<Quota | undefined> {
  const found = known.get(tenant) ?? quotas.get(tenant).then((record) => record?.quota);
  known.set(tenant, found);
  return found;
}
