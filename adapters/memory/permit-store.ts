import type { Budget, Cell, Lane, Mark, Permit, PermitStore, Place, Starts } from '../../core/ports/permit-store.ts';

interface Flag {
  raised: number;
  cleared: number;
}

interface StoredCell {
  permits: Map<string, Permit>;
  flags: Record<Place, Flag>;
  budget: Budget | undefined;
  aliveAt: number | undefined;
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
    };
    cells.set(key, found);
    return found;
  };

  return {
    acquire: async (lane, cell, permits, limit, starts) => {
      const stored = cellOf(lane, cell);
      const missing = permits.filter((permit) => !stored.permits.has(keyOf(permit)));
      // Nothing is missing when a call is repeated: it was granted before, whatever the limit is now.
      const repeated = missing.length === 0;
      const granted = repeated || (stored.permits.size + missing.length <= limit && isWithin(stored.budget, starts));
      if (granted) for (const permit of missing) stored.permits.set(keyOf(permit), structuredClone(permit));
      if (granted && !repeated && starts) stored.budget = counted(stored.budget, starts);
      return { granted, cell: view(stored) };
    },
    release: async (lane, cell, permits, aliveAt) => {
      const stored = cellOf(lane, cell);
      for (const permit of permits) stored.permits.delete(keyOf(permit));
      if (permits.length > 0 && aliveAt !== undefined) stored.aliveAt = aliveAt;
      return view(stored);
    },
    read: async (lane, cell) => view(cellOf(lane, cell)),
    raise: async (lane, cell, of = 'permits') => {
      const stored = cellOf(lane, cell);
      stored.flags[of].raised += 1;
      return view(stored);
    },
    clear: async (lane, cell, version, of = 'permits') => {
      const flag = cellOf(lane, cell).flags[of];
      flag.cleared = Math.max(flag.cleared, version);
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

function keyOf({ expiry, nonce }: Permit): string {
  return `${expiry}|${nonce}`;
}

function view({ permits, flags, budget, aliveAt }: StoredCell): Cell {
  return structuredClone({
    permits: [...permits.values()],
    ...flags.permits,
    ...(flags.budget.raised > 0 && { waiting: flags.budget }),
    ...(budget && { budget }),
    ...(aliveAt !== undefined && { aliveAt }),
  });
}
