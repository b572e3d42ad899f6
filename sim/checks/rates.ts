import { ENTRY_TENANT, type RateGrant, type RateRest, type ResourceSpec, type TaskTypeSpec } from '@sluice/contracts';
import { inOrder, intervalOf, US, type Rate, type RateStep } from '../../core/limits/gcra.ts';
import type { RateWindow } from '../../core/limits/rate-share.ts';
import { laneKey } from '../../core/permits/lane-key.ts';
import type { Cell, Demands, Lane, Permit } from '../../core/ports/permit-store.ts';
import { RateBook } from './rate-book.ts';

/** ms that a call of control is under way at most. */
const LATE_MS = 16_000;

type Violated = (kind: 'flowControl', what: string) => void;

interface RateCheckDeps {
  readonly now: () => number;
  readonly violated: Violated;
  readonly specOf: (type: string) => TaskTypeSpec | undefined;
  /** ± ms that clocks are off. */
  readonly skewMs: number;
}

/** A rate of a resource that is in force, at the most that it was in this run. */
interface Whole {
  readonly resource: string;
  readonly perSeconds: number;
  limit: number;
  readonly book: RateBook;
}

/**
 * What must hold of rates: what lanes have of one, and what nobody has, is at no time more than the whole; all starts that are
 * paced by it fit into one bucket; and nothing starts before its tokens were taken.
 *
 * A start counts at the time that its claimer looked at: its own clock. By these times the starts of a lane fit into its bucket whatever
 * the clocks show, and so do those of all lanes while nothing is moved between them. A move is made by control's clock: of two rounds whose clocks
 * are 4 s apart the one finds what 4 s bring more than the other has left. So where clocks are off, each write of a part gives the
 * reference what its limit brings in the most that two clocks are apart; where they are right, none.
 */
export function createRateChecks({ now, violated, specOf, skewMs }: RateCheckDeps) {
  const wholes = new Map<string, Whole>();
  /** Lengths of windows that each resource has had all the time. */
  const always = new Map<string, ReadonlySet<number>>();
  const cells = new Map<string, Pick<Cell, 'tats' | 'rateShare'>>();
  const notes = new Map<string, RateGrant>();
  const rests = new Map<string, RateRest>();
  /** For each permit the lengths of the windows of resources that it has taken tokens of. */
  const paid = new Map<string, ReadonlySet<number>>();
  /** Of lanes with rates of their own. */
  const own = new Map<string, { readonly books: readonly RateBook[]; tokens: number; starts: number }>();
  let paced = 0;

  const wholesOf = (type: string, perSeconds: number): Whole[] =>
    (specOf(type)?.resources ?? []).flatMap((resource) => wholes.get(`${resource} ${perSeconds}`) ?? []);
  const ownOf = (lane: Lane) => {
    const key = laneKey(lane);
    const rates = inOrder(specOf(lane.type)?.rates ?? []);
    const known = own.get(key) ?? { books: rates.map((rate) => new RateBook(rate, 0)), tokens: 0, starts: 0 };
    own.set(key, known);
    return known;
  };

  /** @returns whether the steps were made, and not found made by an earlier call of the same permits */
  const see = (lane: Lane, cell: Cell): boolean => {
    const key = laneKey(lane);
    const before = cells.get(key);
    const { tats, rateShare } = cell;
    cells.set(key, { ...(tats && { tats }), ...(rateShare && { rateShare }) });
    return JSON.stringify([before?.tats, before?.rateShare]) !== JSON.stringify([tats, rateShare]);
  };

  const took = (lane: Lane, steps: readonly RateStep[]): void => {
    for (const { part, add, now: at } of steps) {
      if (!part) continue;
      const n = Math.round(add / intervalOf(part));
      for (const { resource, perSeconds, book } of wholesOf(lane.type, part.perSeconds)) {
        paced += n;
        const left = book.take(n, at / US);
        if (left < 0) violated('flowControl', `${laneKey(lane)} starts ${n}: ${-left} more than ${resource} may in ${perSeconds} s`);
      }
    }
    const mine = steps.filter(({ part }) => !part);
    const { books } = ownOf(lane);
    const rates = inOrder(specOf(lane.type)?.rates ?? []);
    for (const [i, { add, now: at }] of mine.entries()) {
      const rate = rates[i];
      if (!rate) continue;
      const n = Math.round(add / intervalOf(rate));
      if (i === 0) ownOf(lane).tokens += n;
      // A clock that is behind takes what is too far ahead for a former rate's.
      if (skewMs === 0 && (books[i]?.take(n, at / US) ?? 0) < 0)
        violated('flowControl', `${laneKey(lane)} starts ${n}, more than it may in ${rate.perSeconds} s`);
    }
  };

  const acquired = (lane: Lane, cell: number, permits: readonly Permit[], demands: Demands | undefined, after: Cell): void => {
    if (cell !== 0 || lane.tenant === ENTRY_TENANT) return;
    const steps = demands?.rates ?? [];
    const isStepped = see(lane, after);
    if (isStepped) took(lane, steps);
    const lengths = new Set(steps.flatMap(({ part }) => part?.perSeconds ?? []));
    for (const { nonce } of permits) paid.set(nonce, lengths);
  };

  const wrote = (lane: Lane, before: readonly RateWindow[], after: readonly RateWindow[]): void => {
    for (const { perSeconds, limit } of after) {
      const most = Math.max(limit, before.find((window) => window.perSeconds === perSeconds)?.limit ?? 0);
      for (const { book } of wholesOf(lane.type, perSeconds))
        book.give((most * 2 * skewMs) / (perSeconds * 1_000), now() - LATE_MS - 2 * skewMs);
    }
  };

  const limitIn = (rates: readonly Rate[] | undefined, perSeconds: number): number =>
    rates?.find((rate) => rate.perSeconds === perSeconds)?.limit ?? 0;

  /** A part is noted before a lane has it, and what nobody has is noted as given away before that. */
  const checkSums = (): void => {
    for (const { resource, perSeconds, limit } of wholes.values()) {
      let sum = rests.get(resource)?.windows.find((window) => window.perSeconds === perSeconds)?.free ?? 0;
      for (const key of new Set([...notes.keys(), ...cells.keys()])) {
        const type = key.split('#')[1] ?? '';
        if (specOf(type)?.resources?.includes(resource) !== true) continue;
        const has = limitIn(cells.get(key)?.rateShare?.windows, perSeconds);
        const noted = limitIn(notes.get(key)?.rates, perSeconds);
        if (has > noted) violated('flowControl', `${key} may start ${has} in ${perSeconds} s, and ${noted} are noted`);
        sum += noted;
      }
      if (sum > limit) violated('flowControl', `of ${resource} ${sum} in ${perSeconds} s are given away or left, and there are ${limit}`);
    }
  };

  return {
    /** Starts that were paced by rates of resources. */
    paced: (): number => paced,
    /** A deployment writes a resource. Larger rates hold at once, smaller ones once control has divided them. */
    deployed: ({ resource, rates = [] }: ResourceSpec): void => {
      const lengths = new Set(rates.map(({ perSeconds }) => perSeconds));
      const before = always.get(resource) ?? lengths;
      always.set(resource, new Set([...before].filter((length) => lengths.has(length))));
      for (const [key, whole] of wholes) if (whole.resource === resource && !lengths.has(whole.perSeconds)) wholes.delete(key);
      for (const rate of rates) {
        const key = `${resource} ${rate.perSeconds}`;
        const known = wholes.get(key);
        const slack = (rate.limit * 2 * skewMs) / (rate.perSeconds * 1_000);
        if (!known) wholes.set(key, { resource, ...rate, book: new RateBook(rate, now() - 2 * skewMs, slack) });
        else if (rate.limit > known.limit) {
          known.limit = rate.limit;
          known.book.renew(rate.limit, slack, now() - 2 * skewMs);
        }
      }
    },
    applied: (at: string, args: readonly unknown[], answer: unknown): void => {
      switch (at) {
        case 'permits.acquire': {
          const [lane, cell, permits, , , demands] = args as [Lane, number, Permit[], number, unknown, Demands | undefined];
          const { granted, cell: after } = answer as { granted: boolean; cell: Cell };
          return granted ? acquired(lane, cell, permits, demands, after) : undefined;
        }
        case 'permits.spend': {
          const [lane, steps] = args as [Lane, readonly RateStep[]];
          const { spent, cell } = answer as { spent: boolean; cell: Cell };
          if (spent && see(lane, cell)) took(lane, steps);
          return;
        }
        case 'permits.setRates': {
          const [lane] = args as [Lane];
          const { set, cell } = answer as { set: boolean; cell: Cell };
          if (!set) return;
          wrote(lane, cells.get(laneKey(lane))?.rateShare?.windows ?? [], cell.rateShare?.windows ?? []);
          see(lane, cell);
          return checkSums();
        }
        case 'divisions.putRates':
          notes.set(laneKey(args[0] as Lane), args[1] as RateGrant);
          return checkSums();
        case 'divisions.removeRates':
          notes.delete(laneKey(args[0] as Lane));
          return checkSums();
        case 'divisions.putRest': {
          const rest = args[0] as RateRest;
          rests.set(rest.resource, rest);
          return checkSums();
        }
        case 'divisions.removeRest':
          rests.delete(args[0] as string);
      }
    },
    /** An attempt was started with that permit: its tokens have been taken. */
    started: (lane: Lane, nonce: string): void => {
      const spec = specOf(lane.type);
      for (const resource of spec?.resources ?? []) {
        for (const perSeconds of always.get(resource) ?? []) {
          if (paid.get(nonce)?.has(perSeconds) !== true)
            violated('flowControl', `${laneKey(lane)} starts an attempt that took nothing of ${resource} in ${perSeconds} s`);
        }
      }
      if (!spec?.rates) return;
      const mine = ownOf(lane);
      mine.starts += 1;
      if (mine.starts > mine.tokens)
        violated('flowControl', `${laneKey(lane)} has started ${mine.starts}, for ${mine.tokens} tokens of its rates`);
    },
  };
}
