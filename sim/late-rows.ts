import type { TaskRow } from '@sluice/contracts';
import type { WriteResult } from '../core/ports/task-store.ts';

/** ms after which a write shows in every index at the latest. */
export const INDEX_LATE_MS = 5_000;

interface Write {
  readonly at: number;
  readonly row: TaskRow;
  /** ms, once somebody has looked. */
  late?: number;
}

/**
 * Rows as an index has them: a copy that follows the table. Each write shows some time after it was answered, those of one row
 * in their order; until then the index has the row as it was, or none.
 * @param lateOf ms by which a write is late, {@link INDEX_LATE_MS} at most; asked once, by the first who would miss it
 */
export function createLateRows(now: () => number, lateOf: (row: TaskRow) => number) {
  const writes = new Map<string, Write[]>();

  const shownOf = (all: readonly Write[]): TaskRow | undefined => {
    let from = 0;
    let shown: TaskRow | undefined;
    for (const write of all) {
      if (write.at + INDEX_LATE_MS > now()) write.late ??= lateOf(write.row);
      from = Math.max(from, write.at + (write.late ?? 0));
      if (from > now()) break;
      shown = write.row;
    }
    return shown;
  };

  return {
    written: ({ applied, row }: WriteResult): void => {
      if (!applied) return;
      const key = `${row.tenant}/${row.id}`;
      const all = writes.get(key) ?? [];
      const settled = all.findLastIndex(({ at }) => at + INDEX_LATE_MS <= now());
      writes.set(key, [...all.slice(Math.max(settled, 0)), { at: now(), row }]);
    },
    rows: (): readonly TaskRow[] => [...writes.values()].flatMap((all) => shownOf(all) ?? []),
  };
}
