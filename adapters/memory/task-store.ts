import type { Attempt, TaskRow } from '@sluice/contracts';
import type { RowChange, RowVersion, ScanPage, TaskStore, WriteResult } from '../../core/ports/task-store.ts';

export interface MemoryTaskStore extends TaskStore {
  /** Every row that there is, for checks of a whole run. */
  readonly rows: () => readonly TaskRow[];
  /** The kept copies of old generations. */
  readonly archived: () => readonly TaskRow[];
}

export interface MemoryTaskStoreConfig {
  /** Rows in one page of a scan. @default 100 */
  readonly pageSize?: number;
}

/** Rows in a map. What goes in and out is copied, so that nobody shares an object with the store. */
export function createMemoryTaskStore(config: MemoryTaskStoreConfig = {}): MemoryTaskStore {
  const pageSize = config.pageSize ?? 100;
  const rows = new Map<string, TaskRow>();
  const archive = new Map<string, TaskRow>();
  const attempts = new Map<string, Map<string, Attempt>>();

  const is = (row: TaskRow | undefined, version: RowVersion): row is TaskRow =>
    row !== undefined && row.uid === version.uid && row.seq === version.seq && (version.state ?? row.state) === row.state;
  const lost = (row: TaskRow | undefined): WriteResult => ({ applied: false, row: structuredClone(row) });
  const store = (row: TaskRow): WriteResult => {
    rows.set(keyOf(row.tenant, row.id), structuredClone(row));
    return { applied: true, row: structuredClone(row) };
  };

  return {
    get: async (tenant, id) => structuredClone(rows.get(keyOf(tenant, id))),
    insert: async (row) => {
      const found = rows.get(keyOf(row.tenant, row.id));
      return found ? lost(found) : store(row);
    },
    replace: async (row, old) => {
      const found = rows.get(keyOf(row.tenant, row.id));
      return is(found, old) ? store(row) : lost(found);
    },
    update: async (tenant, id, version, change) => {
      const found = rows.get(keyOf(tenant, id));
      return is(found, version) ? store(changed(found, change)) : lost(found);
    },
    archive: async (row) => {
      archive.set(`${keyOf(row.tenant, row.id)}#${row.uid}`, structuredClone(row));
    },
    putAttempt: async (tenant, id, attempt) => {
      const key = `${keyOf(tenant, id)}#${attempt.uid}`;
      const kept = attempts.get(key) ?? new Map<string, Attempt>();
      attempts.set(key, kept.set(`${attempt.fence}${attempt.late ? '#late' : ''}`, structuredClone(attempt)));
    },
    attempts: async (tenant, id, uid) => {
      const kept = structuredClone([...(attempts.get(`${keyOf(tenant, id)}#${uid}`)?.values() ?? [])]);
      return kept.sort((a, b) => a.fence - b.fence);
    },
    scan: async (segment, segments, from): Promise<ScanPage> => {
      const keys = [...rows.keys()].filter((key) => segmentOf(key, segments) === segment).sort();
      const rest = from === undefined ? keys : keys.filter((key) => key > from);
      const page = rest.slice(0, pageSize);
      return {
        rows: page.flatMap((key) => structuredClone(rows.get(key)) ?? []),
        next: rest.length > page.length ? page.at(-1) : undefined,
      };
    },
    rows: () => structuredClone([...rows.values()]),
    archived: () => structuredClone([...archive.values()]),
  };
}

/** No tenant's name holds a `#`, so no two tenants share a key. */
function keyOf(tenant: string, id: string): string {
  return `${tenant}#${id}`;
}

function segmentOf(key: string, segments: number): number {
  let hash = 0;
  for (let n = 0; n < key.length; n++) hash = (Math.imul(hash, 31) + key.charCodeAt(n)) >>> 0;
  return hash % segments;
}

export function changed(row: TaskRow, change: RowChange): TaskRow {
  const next: Record<string, unknown> = { ...row, seq: row.seq + 1 };
  for (const [name, value] of Object.entries(change.setOnce ?? {})) {
    if (value !== undefined && next[name] === undefined) next[name] = value;
  }
  for (const [name, value] of Object.entries(change.set)) if (value !== undefined) next[name] = value;
  for (const name of change.remove ?? []) delete next[name];
  return next as TaskRow;
}
