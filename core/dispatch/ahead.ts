import { aheadOf, aheadOfSlots, askable, isShort, meanWith } from '../permits/ahead.ts';
import { cellLimit, cellPausedUntil, limitNow, livePermits } from '../permits/cells.ts';
import type { LaneViews } from '../permits/views.ts';
import type { LaneRules } from '../limits/lane-rules.ts';
import type { Clock } from '../ports/clock.ts';
import type { Cell, Lane, Permit } from '../ports/permit-store.ts';
import { limitForOne, orderOf, type Asker } from '../priority/ask.ts';

/** ms after which what waits for a slot is undone when the next attempt ends: well before it is too late to start it. */
const PATIENCE_MS = 20_000;

/** What one claim may do. */
export interface Turn {
  /** Resolves when its attempt may start, at once or after a wait, or is not to: then it is undone. */
  readonly comes: () => Promise<'at-once' | 'late' | 'never'>;
  /** Its attempt has ended for certain, or never begins: at once the next one has its slot. */
  readonly passOn: () => void;
  /** The same of one that was throttled: its slot ends with it. */
  readonly rest: () => void;
  /** It is dealt with: where its attempt has ended, its permit has been given back. */
  readonly done: () => void;
}

export interface Taken {
  readonly permit: Permit;
  readonly cell: number;
  readonly asker: Asker;
  /** Whether the cell was asked beyond its limit, so that it has no slot yet. */
  readonly ahead: boolean;
}

/**
 * Who of one dispatcher's claims may run. A slot is the right to have one attempt running. One is made only where all others'
 * permits of the cell and this dispatcher's slots are no more than its limit, and passed on where its attempt has ended: so slots, and
 * with them attempts, are never more than the limit, whoever else works for the lane. What is claimed beyond it waits for one here.
 */
export interface Ahead {
  /** Notes permits that were taken, after the answer was seen that says so. */
  readonly took: (taken: readonly Taken[]) => readonly Turn[];
  /** Permits that a cell may be asked for at most. @returns nothing where none is to be claimed ahead */
  readonly most: (index: number, cell: Cell) => number | undefined;
  /** Claims of a cell that wait for a slot. */
  readonly waiting: (lane: Lane, index: number) => number;
  /** What is heard of the lane's cells comes by here. */
  readonly views: LaneViews;
}

interface Entry extends Taken {
  /** `resting`: throttled, its permit is not given back yet. `over`: its permit may still be held. `lost`: it may run, nobody knows. */
  state: 'ahead' | 'slot' | 'resting' | 'over' | 'lost';
  readonly takenAt: number;
  startedAt?: number;
  /** Answers whoever waits for its slot. */
  come?: (may: boolean) => void;
}

export interface AheadDeps {
  readonly clock: Clock;
  readonly views: LaneViews;
}

export function createAhead({ clock, views }: AheadDeps, lane: Lane, rules: LaneRules, hasTime: () => boolean): Ahead {
  const cells = new Map<number, { readonly entries: Map<string, Entry>; seen?: Cell }>();
  let meanMs: number | undefined;
  const of = (index: number) => {
    const known = cells.get(index) ?? { entries: new Map<string, Entry>() };
    cells.set(index, known);
    return known;
  };
  const count = (index: number, ...states: Entry['state'][]): number =>
    [...of(index).entries.values()].filter(({ state }) => states.includes(state)).length;
  const slotsIn = (index: number): number => count(index, 'slot', 'resting', 'lost');
  const othersIn = (index: number, cell: Cell): number =>
    livePermits(cell, clock.now()).filter(({ nonce }) => !of(index).entries.has(nonce)).length;

  /** What the cell may hold for a claim; none while it pauses. */
  const limitFor = (index: number, cell: Cell, asker: Asker): number => {
    const now = clock.now();
    const limit = limitNow(rules, index, cell, now);
    return limitForOne(cell, limit, asker, now);
  };

  /** What has no slot yet, those that have been claimed first, each in the order of its class. */
  const inLine = (index: number): readonly Entry[] =>
    [...of(index).entries.values()]
      .filter(({ state }) => state === 'ahead')
      .sort((a, b) => Number(b.come !== undefined) - Number(a.come !== undefined) || orderOf(a.asker) - orderOf(b.asker));

  const give = (entry: Entry): void => {
    entry.state = 'slot';
    entry.come?.(true);
  };
  const refuse = (entry: Entry): void => {
    entry.state = 'over';
    entry.come?.(false);
  };

  /** Makes slots where there is room. An answer says of all others what they had when it was given; of it, it must have been there. */
  const makeSlots = (index: number): void => {
    const { seen } = of(index);
    if (!seen) return;
    const others = othersIn(index, seen);
    for (const entry of inLine(index)) {
      const isThere = seen.permits.some(({ nonce }) => nonce === entry.permit.nonce);
      if (isThere && others + slotsIn(index) + 1 <= limitFor(index, seen, entry.asker)) give(entry);
    }
  };

  /** Nothing waits where no attempt of this dispatcher will pass its slot on, nor for so long that it could not start any more. */
  const letGo = (index: number): void => {
    const isHopeless = count(index, 'slot', 'resting') === 0;
    const before = clock.now() - PATIENCE_MS;
    for (const entry of inLine(index)) if (entry.come && (isHopeless || entry.takenAt < before)) refuse(entry);
  };

  /** Of others' permits some may be ahead, too, as they would be here. Where the limit has fallen slots end with their attempts. */
  const mayPass = (index: number, next: Entry): boolean => {
    const { seen } = of(index);
    if (!seen) return false;
    const others = othersIn(index, seen);
    const limit = limitFor(index, seen, next.asker);
    return others - Math.min(aheadOf(limit), aheadOfSlots(others)) + slotsIn(index) <= limit;
  };

  const passOn = (entry: Entry): void => {
    const { cell, startedAt, state } = entry;
    if (state !== 'slot') return void (entry.state = 'over');
    if (startedAt !== undefined) meanMs = meanWith(meanMs, clock.now() - startedAt);
    const [next] = inLine(cell);
    const passes = next !== undefined && mayPass(cell, next);
    entry.state = 'over';
    if (passes) give(next);
    letGo(cell);
  };

  const turnOf = (entry: Entry): Turn => ({
    comes: async () => {
      const waits = entry.state === 'ahead';
      if (waits) {
        const came = new Promise<boolean>((resolve) => (entry.come = resolve));
        letGo(entry.cell);
        const may = await came;
        if (may && !hasTime()) passOn(entry);
      }
      if (entry.state !== 'slot') return 'never';
      entry.startedAt = clock.now();
      return waits ? 'late' : 'at-once';
    },
    passOn: () => passOn(entry),
    rest: () => {
      entry.state = entry.state === 'slot' ? 'resting' : 'over';
    },
    done: () => {
      if (entry.state === 'slot') entry.state = 'lost';
      if (entry.state !== 'lost') of(entry.cell).entries.delete(entry.permit.nonce);
      makeSlots(entry.cell);
      letGo(entry.cell);
    },
  });

  return {
    took: (taken) => {
      const entries = taken.map((each): Entry => ({ ...each, state: each.ahead ? 'ahead' : 'slot', takenAt: clock.now() }));
      for (const entry of entries) of(entry.cell).entries.set(entry.permit.nonce, entry);
      for (const index of new Set(entries.map(({ cell }) => cell))) makeSlots(index);
      return entries.map(turnOf);
    },
    most: (index, cell) => {
      if (!isShort(meanMs)) return undefined;
      if (cellPausedUntil(rules, cell) > clock.now()) return 0;
      const limit = cellLimit(rules, index, cell);
      const held = livePermits(cell, clock.now()).length;
      return askable({ limit, held, others: othersIn(index, cell), slots: slotsIn(index), waiting: count(index, 'ahead') });
    },
    waiting: ({ tenant, type }, index) => (tenant === lane.tenant && type === lane.type ? count(index, 'ahead') : 0),
    views: {
      ...views,
      see: (of_, index, cell) => {
        views.see(of_, index, cell);
        if (of_.tenant !== lane.tenant || of_.type !== lane.type) return;
        const known = of(index);
        // Of two answers that overtake each other the older one says less.
        if ((cell.turns ?? 0) < (known.seen?.turns ?? 0)) return;
        known.seen = cell;
        makeSlots(index);
      },
    },
  };
}
