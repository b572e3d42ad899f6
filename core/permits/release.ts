import { ENTRY_TENANT } from '@sluice/contracts';
import { placeLaneHints, type PlaceDeps } from '../hints/place.ts';
import { entryRules, laneRules, NO_RULES, type LaneRules } from '../limits/lane-rules.ts';
import type { Cell, Lane, Permit, PermitStore } from '../ports/permit-store.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import type { TypeRegistry } from '../ports/type-registry.ts';
import { DEFAULT_BUDGET } from '../retry/budget.ts';
import { cellsInUse, expiredPermits, goesOnAt, hasBacklog, hasRetries, retriesLeft } from './cells.ts';
import type { LaneViews } from './views.ts';
import { wakeLane } from './wake.ts';
import { laneKey } from './lane-key.ts';

/** Of the store, what gives permits back; limits are tuned only where it also changes them. */
export type PermitReturns = Pick<PermitStore, 'release' | 'wake'> & Partial<Pick<PermitStore, 'read' | 'adapt' | 'raise' | 'called'>>;

export interface ReleaseDeps extends PlaceDeps {
  readonly permits: PermitReturns;
  readonly types: TypeRegistry;
  readonly telemetry: Telemetry;
  /** @default nothing is remembered of lanes */
  readonly views?: LaneViews;
  /** What changes limits when attempts end: `tuneLimit`, for functions in which they do. @default they stay as they are */
  readonly tune?: Tune;
  /** Whether whoever gives back goes on with the backlog of a lane, so that nobody need be told of it. @default it does not */
  readonly goesOn?: (lane: Lane) => boolean;
  /** Permits of a cell whose claims wait here for a slot: they are no attempts in flight. @default none */
  readonly waitingIn?: (lane: Lane, cell: number) => number;
}

/** Attempts of a cell that have ended, and the cell as it was when their permits were given back. */
export interface Tuning {
  readonly lane: Lane;
  readonly cell: number;
  readonly after: Cell;
  readonly rules: LaneRules;
  readonly ends: readonly AttemptEnd[];
  /** Permits that were given back. */
  readonly released: number;
}

/** Changes the limit of a cell where the ends of attempts ask for it. @returns the cell as it then is. Never throws. */
export type Tune = (deps: ReleaseDeps, tuning: Tuning) => Promise<Cell>;

/** What the end of an attempt says of the capacity behind its lane. */
export interface AttemptEnd {
  readonly throttled: boolean;
  /** When it was claimed, ms; where it then waited for a slot, when it had one. */
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
  /** Of a permit of an entry pool: the lane out of whose backlog its task came, where more may wait. */
  readonly behind?: Lane;
}

/**
 * Gives permits back, one call for each cell, and tells the lanes among them that have a backlog. What has expired in
 * a cell goes with the next call that is made there anyway.
 * @returns the permits that are not known to be given back, with the error of each.
 */
export async function releasePermits(deps: ReleaseDeps, held: readonly HeldPermit[]): Promise<ReadonlyMap<HeldPermit, unknown>> {
  const byCell = new Map<string, HeldPermit[]>();
  for (const h of held) {
    const key = `${laneKey(h.lane)}#${h.cell}`;
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
        const told = lane.tenant === ENTRY_TENANT ? await inLine(deps, lane, cell, after, group.length) : undefined;
        for (const { behind } of group) if (behind) waiting.set(laneKey(behind), behind);
        for (const each of told ?? ((await mayGoOn(deps, lane, cell, after)) ? [lane] : [])) waiting.set(laneKey(each), each);
        const expired = expiredPermits(after, deps.clock.now());
        if (expired.length > 0) await deps.permits.release(lane, cell, expired);
      } catch (error) {
        for (const h of group) failed.set(h, error);
      }
    }),
  );
  await placeLaneHints(
    deps,
    [...waiting.values()].filter((lane) => deps.goesOn?.(lane) !== true),
  );
  return failed;
}

/** The lanes in line for a cell of an entry pool to whom its permits go on. */
async function inLine(
  { permits }: ReleaseDeps,
  pool: Lane,
  index: number,
  { line = [] }: Cell,
  released: number,
): Promise<readonly Lane[]> {
  const called = line.slice(0, released);
  if (called.length === 0 || !permits.called) return [];
  await permits.called(pool, index, called);
  return called.map((tenant) => ({ tenant, type: pool.type }));
}

async function releaseInCell(deps: ReleaseDeps, lane: Lane, cell: number, group: readonly HeldPermit[]): Promise<Cell> {
  const ends = group.flatMap(({ end }) => end ?? []);
  const rules = deps.tune && ends.length > 0 ? await rulesOf(deps, lane) : NO_RULES;
  const aliveAt = latest(group.flatMap((h) => h.aliveAt ?? []));
  const now = deps.clock.now();
  const succeeded = rules.aimd ? ends.filter(({ throttled }) => !throttled) : [];
  const good = succeeded.length;
  const held = succeeded.reduce((sum, { claimedAt }) => sum + Math.max(0, now - claimedAt), 0);
  const after = await deps.permits.release(
    lane,
    cell,
    group.map((h) => h.permit),
    { ...(aliveAt !== undefined && { aliveAt }), ...(good > 0 && { good, held }) },
  );
  const tuned = deps.tune && rules.aimd ? await deps.tune(deps, { lane, cell, after, rules, ends, released: group.length }) : after;
  deps.views?.see(lane, cell, tuned);
  return tuned;
}

async function rulesOf({ types }: ReleaseDeps, lane: Lane): Promise<LaneRules> {
  const spec = await types.get(lane.type);
  const rules = spec ? laneRules(spec) : NO_RULES;
  return lane.tenant === ENTRY_TENANT ? entryRules(rules) : rules;
}

function latest(times: readonly number[]): number | undefined {
  return times.length === 0 ? undefined : Math.max(...times);
}

/**
 * Retries without budget are not told each time: until there is some, or the next minute. A lane that its rates or a pause
 * hold back is told when that is over, and one that somebody attends to sees it without that.
 */
async function mayGoOn(deps: ReleaseDeps, lane: Lane, index: number, cell: Cell): Promise<boolean> {
  if (!hasBacklog(cell) && !hasRetries(cell)) return false;
  const now = deps.clock.now();
  if (cell.attendedUntil !== undefined && cell.attendedUntil > now) return false;
  const spec = await deps.types.get(lane.type);
  const rules = spec ? laneRules(spec) : NO_RULES;
  const first = index === 0 ? cell : deps.views?.first(lane);
  const at = index === 0 ? goesOnAt(rules, cell, now) : undefined;
  if (at !== undefined) {
    await wakeLane(deps, lane, at, cell);
    return false;
  }
  if (hasBacklog(cell)) return true;
  return retriesLeft(cell, spec?.retryBudget ?? DEFAULT_BUDGET, cellsInUse(rules, first), now) > 0;
}
