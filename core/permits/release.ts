import { placeLaneHints, type PlaceDeps } from '../hints/place.ts';
import { laneRules, NO_RULES, type LaneRules } from '../limits/lane-rules.ts';
import type { Cell, Lane, Permit, PermitStore } from '../ports/permit-store.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import type { TypeRegistry } from '../ports/type-registry.ts';
import { DEFAULT_BUDGET } from '../retry/budget.ts';
import { adaptCell } from './adapt.ts';
import { cellsInUse, expiredPermits, hasBacklog, hasRetries, livePermits, ratesOf, retriesLeft } from './cells.ts';
import type { LaneViews } from './views.ts';

export interface ReleaseDeps extends PlaceDeps {
  readonly permits: PermitStore;
  readonly types: TypeRegistry;
  readonly telemetry: Telemetry;
  /** @default nothing is remembered of lanes */
  readonly views?: LaneViews;
}

/** What the end of an attempt says of the capacity behind its lane. */
export interface AttemptEnd {
  readonly throttled: boolean;
  /** When it was claimed, ms. */
  readonly claimedAt: number;
}

export interface HeldPermit {
  readonly lane: Lane;
  readonly cell: number;
  readonly permit: Permit;
  /** ms: its attempt succeeded, and began then. */
  readonly aliveAt?: number;
  /** Where its attempt says something of the lane's limit. */
  readonly end?: AttemptEnd;
}

/** Writers of a cell's limit that one gives way to; after that the signals of others are enough. */
const MAX_TRIES = 3;

/**
 * Gives permits back, one call for each cell, and tells the lanes among them that have a backlog. What has expired in
 * a cell goes with the next call that is made there anyway.
 * @returns the permits that are not known to be given back, with the error of each.
 */
export async function releasePermits(deps: ReleaseDeps, held: readonly HeldPermit[]): Promise<ReadonlyMap<HeldPermit, unknown>> {
  const byCell = new Map<string, HeldPermit[]>();
  for (const h of held) {
    const key = `${h.lane.tenant}#${h.lane.type}#${h.cell}`;
    const list = byCell.get(key);
    if (list) list.push(h);
    else byCell.set(key, [h]);
  }
  const waiting = new Map<string, Lane>();
  const failed = new Map<HeldPermit, unknown>();
  await Promise.all(
    [...byCell.values()].map(async (group) => {
      const first = group[0];
      if (!first) return;
      const { lane, cell } = first;
      try {
        const after = await releaseInCell(deps, lane, cell, group);
        if (await mayGoOn(deps, lane, cell, after)) waiting.set(`${lane.tenant}#${lane.type}`, lane);
        const expired = expiredPermits(after, deps.clock.now());
        if (expired.length > 0) await deps.permits.release(lane, cell, expired);
      } catch (error) {
        for (const h of group) failed.set(h, error);
      }
    }),
  );
  await placeLaneHints(deps, [...waiting.values()]);
  return failed;
}

async function releaseInCell(deps: ReleaseDeps, lane: Lane, cell: number, group: readonly HeldPermit[]): Promise<Cell> {
  const ends = group.flatMap(({ end }) => end ?? []);
  const rules = ends.length > 0 ? await rulesOf(deps, lane) : NO_RULES;
  const aliveAt = latest(group.flatMap((h) => h.aliveAt ?? []));
  const good = rules.aimd ? ends.filter(({ throttled }) => !throttled).length : 0;
  const after = await deps.permits.release(
    lane,
    cell,
    group.map((h) => h.permit),
    { ...(aliveAt !== undefined && { aliveAt }), ...(good > 0 && { good }) },
  );
  const adapted = rules.aimd ? await adaptLimit(deps, rules, lane, cell, after, group, ends) : after;
  deps.views?.see(lane, cell, adapted);
  return adapted;
}

/**
 * Changes the limit where the ends of attempts ask for it: a write of its own, but a rare one. Best effort: the permits are
 * given back, and the ends of others will say the same.
 */
async function adaptLimit(
  deps: ReleaseDeps,
  rules: LaneRules,
  lane: Lane,
  index: number,
  after: Cell,
  group: readonly HeldPermit[],
  ends: readonly AttemptEnd[],
): Promise<Cell> {
  let seen = after;
  const throttled = ends.flatMap((end) => (end.throttled ? [end.claimedAt] : []));
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const now = deps.clock.now();
    const flight = livePermits(seen, now).length + group.length;
    const change = adaptCell(rules, index, seen, { throttled, good: seen.good ?? 0, flight }, now);
    if (!change) return seen;
    try {
      const { adapted, cell } = await deps.permits.adapt(lane, index, change.aimd, seen, change.cells);
      if (adapted) {
        await raiseInNew(deps, lane, cellsInUse(rules, seen), change.cells ?? 0, cell);
        return cell;
      }
      seen = cell;
    } catch (error) {
      deps.telemetry.log('warn', 'a limit could not be changed', { ...lane, cell: index, error });
      return seen;
    }
  }
  return seen;
}

/** So that what is given back there tells the lane's backlog, too. */
async function raiseInNew({ permits }: ReleaseDeps, lane: Lane, before: number, cells: number, first: Cell): Promise<void> {
  if (!hasBacklog(first)) return;
  for (let cell = before; cell < cells; cell++) await permits.raise(lane, cell);
}

async function rulesOf({ types }: ReleaseDeps, lane: Lane): Promise<LaneRules> {
  const spec = await types.get(lane.type);
  return spec ? laneRules(spec) : NO_RULES;
}

function latest(times: readonly number[]): number | undefined {
  return times.length === 0 ? undefined : Math.max(...times);
}

/**
 * Retries without budget are not told each time: until there is some, or the next minute. Nor are lanes that their rates
 * hold back and that are told when these let them go on.
 */
async function mayGoOn(deps: ReleaseDeps, lane: Lane, index: number, cell: Cell): Promise<boolean> {
  if (!hasBacklog(cell) && !hasRetries(cell)) return false;
  const now = deps.clock.now();
  const spec = await deps.types.get(lane.type);
  const rules = spec ? laneRules(spec) : NO_RULES;
  const first = index === 0 ? cell : deps.views?.first(lane);
  if ((cell.wakeAt ?? 0) > now && ratesOf(rules, first, 1, now).allowed === 0) return false;
  if (hasBacklog(cell)) return true;
  return retriesLeft(cell, spec?.retryBudget ?? DEFAULT_BUDGET, cellsInUse(rules, first), now) > 0;
}
