import type { RateGrant, RateRest } from '@sluice/contracts';
import { regrant, type RateWindow } from '../../limits/rate-share.ts';
import type { Clock } from '../../ports/clock.ts';
import type { DivisionStore } from '../../ports/division-store.ts';
import type { Cell, Lane, PermitStore } from '../../ports/permit-store.ts';
import type { Telemetry } from '../../ports/telemetry.ts';
import type { Standing } from '../targets.ts';
import type { World } from '../world.ts';
import { ratedLanes, windowIn, type LaneWindow, type RatedLane } from './lanes.ts';
import { lowerings, raisings, rateTargets } from './plan.ts';
import { RateRests } from './rests.ts';
import { ratesOfResources, windowsOfTypes, type ResourceRate } from './windows.ts';

/** What a round of control divides rates with. */
export interface RateRound {
  readonly permits: PermitStore;
  readonly divisions: DivisionStore;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  /** A cell takes what is newer alone; it may be written once as this one and once as the next. */
  readonly version: number;
  /** Makes sure that the round's lease outlives the call that comes next. @throws when it is lost */
  readonly keepLease: () => Promise<void>;
  /** Some at a time. */
  readonly each: <T>(all: readonly T[], run: (each: T) => Promise<unknown>) => Promise<void>;
  /** Awaits what is written of a grant or a rest: not answered, it may be written yet when the round has ended. */
  readonly note: (written: Promise<void>) => Promise<void>;
}

/** Starts of a busy lane that come between two looks at its cell; after so many the next round goes on. */
const MAX_TRIES = 8;

/** A lane whose cell has been lowered. */
interface Lowered {
  readonly cell: Cell;
  /** What it has now, by the windows' lengths. */
  readonly has: ReadonlyMap<number, number>;
  /** What that leaves to others, with the starts that it had left. */
  readonly givenBack: readonly { readonly rates: readonly ResourceRate[]; readonly limit: number; readonly tokens: number }[];
}

/**
 * Divides the rates of resources among the lanes that draw on them. A lane's part is a token bucket in its first cell. What is lowered
 * goes back with the starts that it had left, and what is raised brings no more starts than have been given back or have grown since:
 * so all lanes together start no more than one bucket of the whole rate would let them, whatever is moved and whoever dies. Each write is
 * made in the order that loses starts, never makes some: a cell is lowered, then what is left is written, then a cell is raised.
 *
 * To be done before attempts at once are divided: a lane has its pace before it may start anything.
 * @returns lanes that were raised, and have a backlog
 * @throws when something is not known to be written; the next round looks at everything anew
 */
export async function divideRates(round: RateRound, world: World, standings: readonly Standing[]): Promise<readonly Lane[]> {
  const { grants, rests: found } = world.rates;
  const rates = ratesOfResources(world.resources);
  if (rates.length === 0 && found.length === 0) return [];
  const lanes = ratedLanes(standings, grants, windowsOfTypes(world.types, rates), round.clock.now());
  const targets = [...new Set(rates.map(({ perSeconds }) => perSeconds))].flatMap((perSeconds) =>
    rateTargets(
      lanes.flatMap(({ windows }) => windows.filter((window) => window.perSeconds === perSeconds)),
      world.turn,
    ),
  );
  const lowered = await lowerAll(round, lanes, lowerings(targets));
  const before = hasOf(lanes);
  const rest = new RateRests(found, rates, (rate) => rate.capacity - (before.get(rate) ?? 0), round.clock.now());
  for (const { givenBack } of lowered.values())
    for (const part of givenBack) for (const rate of part.rates) rest.giveBack(rate, part.limit, part.tokens);
  const hasNow: HasNow = (window) => lowered.get(window.of)?.has.get(window.perSeconds) ?? window.has;
  const raise = raisings(targets, hasNow);
  const brought = new Map([...raise].map(([window, to]) => [window, rest.take(window.rates, to - hasNow(window))]));
  await round.each(rest.changed(), async (each) => {
    await round.keepLease();
    await round.note(round.divisions.putRest(each));
  });
  const raised = await raiseAll(round, lanes, lowered, (window) => ({
    to: raise.get(window) ?? hasNow(window),
    tokens: brought.get(window) ?? 0,
  }));
  await forget(round, found, rates);
  return raised.filter((lane) => lane.waits > 0 && lane.windows.some((window) => raise.has(window))).map(({ lane }) => lane);
}

type HasNow = (window: LaneWindow) => number;

async function lowerAll(
  round: RateRound,
  lanes: readonly RatedLane[],
  lower: ReadonlyMap<LaneWindow, number>,
): Promise<ReadonlyMap<RatedLane, Lowered>> {
  const lowered = new Map<RatedLane, Lowered>();
  const all = lanes.filter(({ windows }) => windows.length === 0 || windows.some((window) => lower.has(window)));
  await round.each(all, async (lane) => {
    const answer = await lowerLane(round, lane, lower);
    if (answer) lowered.set(lane, answer);
  });
  return lowered;
}

/** @returns those that were written */
async function raiseAll(
  round: RateRound,
  lanes: readonly RatedLane[],
  lowered: ReadonlyMap<RatedLane, Lowered>,
  targetOf: (window: LaneWindow) => Raising,
): Promise<readonly RatedLane[]> {
  const raised: RatedLane[] = [];
  await round.each(
    lanes.filter(({ windows }) => windows.length > 0),
    async (lane) => {
      const seen = lowered.get(lane)?.cell ?? lane.seen;
      const to = new Map(lane.windows.map((window) => [window.perSeconds, targetOf(window)]));
      if (!seen || !differs(lane, seen, to, lowered.has(lane))) return;
      await raiseLane(round, lane, seen, to);
      raised.push(lane);
    },
  );
  return raised;
}

interface Raising {
  readonly to: number;
  /** Starts that it brings. */
  readonly tokens: number;
}

/** What lanes have of each rate before anything is moved. */
function hasOf(lanes: readonly RatedLane[]): ReadonlyMap<ResourceRate, number> {
  const sums = new Map<ResourceRate, number>();
  for (const { windows, former } of lanes)
    for (const { rates, has } of [...windows, ...former]) for (const rate of rates) sums.set(rate, (sums.get(rate) ?? 0) + has);
  return sums;
}

/**
 * Lowers what has to be of a lane, first its cell and then what is noted of it; all of it where it has no windows any more.
 * @returns nothing where it stays as it is
 */
async function lowerLane(round: RateRound, lane: RatedLane, lower: ReadonlyMap<LaneWindow, number>): Promise<Lowered | undefined> {
  const isFormer = lane.windows.length === 0;
  const own = isFormer
    ? lane.former.map((window) => ({ ...window, to: 0 }))
    : lane.windows.map((window) => ({
        perSeconds: window.perSeconds,
        rates: window.rates,
        has: window.has,
        to: lower.get(window) ?? window.has,
      }));
  const seen = lane.seen ?? (await round.permits.read(lane.lane, 0));
  const answer = await write(round, lane.lane, seen, round.version, (cell, now) => {
    const parts = own.map((window) => {
      const part = windowIn(cell, window.perSeconds) ?? nothingIn(window.perSeconds);
      return regrant(part, Math.min(part.limit, window.to), 0, now);
    });
    return { windows: isFormer ? [] : parts.map(({ window }) => window), tokens: parts.map(({ freed }) => freed) };
  });
  if (!answer) return undefined;
  const has = new Map(own.map(({ perSeconds, to }) => [perSeconds, to]));
  await round.keepLease();
  if (isFormer) await round.note(round.divisions.removeRates(lane.lane));
  else await round.note(round.divisions.putRates(lane.lane, grantOf(lane, has)));
  const givenBack = own.map(({ rates, has: had, to }, i) => ({ rates, limit: had - to, tokens: answer.tokens[i] ?? 0 }));
  return { cell: answer.cell, has, givenBack };
}

/** Notes what a lane is to have, and then writes it into its cell: windows that it has not yet, and limits that are higher. */
async function raiseLane(round: RateRound, lane: RatedLane, seen: Cell, to: ReadonlyMap<number, Raising>): Promise<void> {
  await round.keepLease();
  const limits = new Map([...to].map(([perSeconds, of]) => [perSeconds, of.to]));
  await round.note(round.divisions.putRates(lane.lane, grantOf(lane, limits)));
  const answer = await write(round, lane.lane, seen, round.version + 1, (cell, now) => ({
    windows: lane.windows.map(({ perSeconds }) => {
      const part = windowIn(cell, perSeconds) ?? nothingIn(perSeconds);
      const { to: limit = 0, tokens = 0 } = to.get(perSeconds) ?? {};
      return regrant(part, Math.max(part.limit, limit), tokens, now).window;
    }),
    tokens: [],
  }));
  if (!answer) round.telemetry.log('warn', 'a lane is too busy for its rates to be raised: the next round does it', { ...lane.lane });
}

function nothingIn(perSeconds: number): RateWindow {
  return { perSeconds, limit: 0, tat: 0 };
}

interface Change {
  readonly windows: readonly RateWindow[];
  readonly tokens: readonly number[];
}

/**
 * Writes a lane's parts as they follow from what its cell has, which starts may change meanwhile.
 * @returns the cell, and the tokens that were freed; nothing where others were quicker each time
 * @throws when a newer round has written it
 */
async function write(
  { permits, clock, keepLease }: RateRound,
  lane: Lane,
  first: Cell,
  version: number,
  change: (cell: Cell, now: number) => Change,
): Promise<{ readonly cell: Cell; readonly tokens: readonly number[] } | undefined> {
  let seen = first;
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    await keepLease();
    const { windows, tokens } = change(seen, clock.now());
    if (windows.length === 0 && !seen.rateShare) return { cell: seen, tokens };
    const { set, cell } = await permits.setRates(lane, { version, windows }, seen);
    // The same version is this round's own write, repeated.
    const own = cell.rateShare?.version === version || (windows.length === 0 && !cell.rateShare);
    if (set || own) return { cell, tokens };
    if ((cell.rateShare?.version ?? 0) > version) throw new Error('another round of control has taken over');
    seen = cell;
  }
  return undefined;
}

/** Whether a cell, or what is noted of it, is not as it is to be. What was lowered is noted. */
function differs({ windows, grant }: RatedLane, seen: Cell, to: ReadonlyMap<number, Raising>, isNoted: boolean): boolean {
  const has = seen.rateShare?.windows ?? [];
  if (has.length !== windows.length || !(grant ?? isNoted)) return true;
  return windows.some(({ perSeconds }, i) => has[i]?.perSeconds !== perSeconds || has[i]?.limit !== to.get(perSeconds)?.to);
}

function grantOf({ lane: { tenant, type }, windows }: RatedLane, limits: ReadonlyMap<number, number>): RateGrant {
  return { v: 1, tenant, type, rates: windows.map(({ perSeconds }) => ({ limit: limits.get(perSeconds) ?? 0, perSeconds })) };
}

/** What is left of resources that have no rates any more, once no lane has a part of them. */
async function forget(
  { divisions, each, keepLease, note }: RateRound,
  found: readonly RateRest[],
  rates: readonly ResourceRate[],
): Promise<void> {
  const known = new Set(rates.map(({ resource }) => resource));
  await each(
    found.filter(({ resource }) => !known.has(resource)),
    async ({ resource }) => {
      await keepLease();
      await note(divisions.removeRest(resource));
    },
  );
}
