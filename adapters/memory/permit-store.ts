import { PRIORITIES, type Priority } from '@sluice/contracts';
import { limitUnder } from '../../core/priority/ask.ts';
import type { Budget, Cell, ClassAsk, Lane, Mark, Permit, PermitStore, Place, Starts } from '../../core/ports/permit-store.ts';

interface Flag {
  raised: number;
  cleared: number;
}

interface StoredCell {
  permits: Map<string, Permit>;
  flags: Record<Place, Flag>;
  budget: Budget | undefined;
  aliveAt: number | undefined;
  seen: Partial<Record<Priority, number>>;
  waits: readonly Priority[];
  turns: number;
  wanted: number;
}

/** Lane cells in a map. */
export function createMemoryPermitStore(): PermitStore {
  const cells = new Map<string, StoredCell>();
  const cellOf = (lane: Lane, cell: number): StoredCell => {
    const key = `${lane.tenant}#${lane.type}#${cell}`;
    const flag = (): Flag => ({ raised: 0, cleared: 0 });
    const found = cells.get(key) ?? {
      permits: new Map<string, Permit>(),
      flags: { permits: flag(), budget: flag() },
      budget: undefined,
      aliveAt: undefined,
      seen: {},
      waits: [],
      turns: 0,
      wanted: 0,
    };
    cells.set(key, found);
    return found;
  };

  return {
    acquire: async (lane, cell, permits, limit, starts, ask) => {
      const stored = cellOf(lane, cell);
      const missing = permits.filter((permit) => !stored.permits.has(keyOf(permit)));
      // Nothing is missing when a call is repeated: it was granted before, whatever the limit is now.
      const repeated = missing.length === 0;
      const granted =
        repeated || (stored.permits.size + missing.length <= limitUnder(view(stored), limit, ask) && isWithin(stored.budget, starts));
      if (granted) for (const permit of missing) stored.permits.set(keyOf(permit), structuredClone(permit));
      if (granted && !repeated && starts) stored.budget = counted(stored.budget, starts);
      if (granted && !repeated && ask) note(stored, ask);
      return { granted, cell: view(stored) };
    },
    release: async (lane, cell, permits, aliveAt) => {
      const stored = cellOf(lane, cell);
      for (const permit of permits) stored.permits.delete(keyOf(permit));
      if (permits.length > 0 && aliveAt !== undefined) stored.aliveAt = aliveAt;
      return view(stored);
    },
    read: async (lane, cell) => view(cellOf(lane, cell)),
    raise: async (lane, cell, of = 'permits', classes = [], wanted = 0) => {
      const stored = cellOf(lane, cell);
      stored.flags[of].raised += 1;
      stored.wanted += wanted;
      stored.waits = PRIORITIES.filter((priority) => stored.waits.includes(priority) || classes.includes(priority));
      return view(stored);
    },
    clear: async (lane, cell, version, of = 'permits') => {
      const stored = cellOf(lane, cell);
      const flag = stored.flags[of];
      if (of === 'permits' && version === flag.raised && flag.cleared < version) {
        stored.waits = [];
        stored.wanted = 0;
      }
      flag.cleared = Math.max(flag.cleared, version);
    },
    preempt: async (lane, cell) => {
      const stored = cellOf(lane, cell);
      const isWanted = stored.wanted > 0;
      if (isWanted) stored.wanted -= 1;
      return isWanted;
    },
  };
}

export function isWithin(budget: Budget | undefined, starts: Starts | undefined): boolean {
  const { within, retries = 0 } = starts ?? {};
  return !within || (sameMark(budget?.next, within.seen) && (budget?.retries ?? 0) + retries <= within.most);
}

function sameMark(a: Mark | undefined, b: Mark | undefined): boolean {
  return a?.at === b?.at && a?.firsts === b?.firsts && a?.retries === b?.retries;
}

export function counted(budget: Budget | undefined, { firsts, retries, within }: Starts): Budget {
  const { firsts: f = 0, retries: r = 0, base, next } = budget ?? {};
  return { firsts: f + firsts, retries: r + retries, base: within?.base ?? base, next: within?.next ?? next };
}

function note(stored: StoredCell, { classes, now, turns = 0 }: ClassAsk): void {
  for (const priority of classes) stored.seen[priority] = now;
  stored.turns += turns;
}

function keyOf({ expiry, nonce }: Permit): string {
  return `${expiry}|${nonce}`;
}

function view({ permits, flags, budget, aliveAt, seen, waits, turns, wanted }: StoredCell): Cell {
  return structuredClone({
    permits: [...permits.values()],
    ...flags.permits,
    ...(flags.budget.raised > 0 && { waiting: flags.budget }),
    ...(budget && { budget }),
    ...(aliveAt !== undefined && { aliveAt }),
    ...(Object.keys(seen).length > 0 && { seen }),
    ...(waits.length > 0 && { waits }),
    ...(turns > 0 && { turns }),
    ...(wanted > 0 && { wanted }),
  });
}
