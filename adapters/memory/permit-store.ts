import type { Cell, Lane, Permit, PermitStore } from '../../core/ports/permit-store.ts';

interface StoredCell {
  permits: Map<string, Permit>;
  raised: number;
  cleared: number;
}

/** Lane cells in a map. */
export function createMemoryPermitStore(): PermitStore {
  const cells = new Map<string, StoredCell>();
  const cellOf = (lane: Lane, cell: number): StoredCell => {
    const key = `${lane.tenant}#${lane.type}#${cell}`;
    const found = cells.get(key) ?? { permits: new Map(), raised: 0, cleared: 0 };
    cells.set(key, found);
    return found;
  };

  return {
    acquire: async (lane, cell, permits, limit) => {
      const stored = cellOf(lane, cell);
      const missing = permits.filter((permit) => !stored.permits.has(keyOf(permit)));
      // Nothing is missing when a call is repeated: it was granted before, whatever the limit is now.
      const granted = missing.length === 0 || stored.permits.size + missing.length <= limit;
      if (granted) for (const permit of missing) stored.permits.set(keyOf(permit), structuredClone(permit));
      return { granted, cell: view(stored) };
    },
    release: async (lane, cell, permits) => {
      const stored = cellOf(lane, cell);
      for (const permit of permits) stored.permits.delete(keyOf(permit));
      return view(stored);
    },
    read: async (lane, cell) => view(cellOf(lane, cell)),
    raise: async (lane, cell) => {
      const stored = cellOf(lane, cell);
      stored.raised += 1;
      return view(stored);
    },
    clear: async (lane, cell, version) => {
      const stored = cellOf(lane, cell);
      stored.cleared = Math.max(stored.cleared, version);
    },
  };
}

function keyOf({ expiry, nonce }: Permit): string {
  return `${expiry}|${nonce}`;
}

function view(cell: StoredCell): Cell {
  return { permits: structuredClone([...cell.permits.values()]), raised: cell.raised, cleared: cell.cleared };
}
