import type { Attempt, TaskRow } from '@sluice/contracts';
import type { Clock } from '../../core/ports/clock.ts';
import type { RowChange, RowVersion, ScanPage, LastingTaskStore, WriteResult } from '../../core/ports/task-store.ts';

export interface MemoryTaskStore extends LastingTaskStore {
  /** Every row that there is, for checks of a whole run. */
  readonly rows: () => readonly TaskRow[];
  /** The kept copies of old generations. */
  readonly archived: () => readonly TaskRow[];
}

export interface MemoryTaskStoreConfig {
  /** Rows in one page of a scan. @default 100 */
  readonly pageSize?: number;
  /** By this clock what has a `ttl` is gone as soon as it may be. @default it stays */
  readonly clock?: Clock;
  /** ms that it stays longer: the table deletes in its own time. @default 0 */
  readonly ttlLateMs?: number;
}

interface KeptAttempt {
  readonly attempt: Attempt;
  readonly ttl: number;
}

/** Rows in a map. What goes in and out is copied, so that nobody shares an object with the store. */
export function createMemoryTaskStore(config: MemoryTaskStoreConfig = {}): MemoryTaskStore {
  const pageSize = config.pageSize ?? 100;
  const rows = new Map<string, TaskRow>();
  const archive = new Map<string, TaskRow>();
  const attempts = new Map<string, Map<string, KeptAttempt>>();

  const isGone = (ttl: number | undefined): boolean =>
    ttl !== undefined && config.clock !== undefined && ttl * 1000 + (config.ttlLateMs ?? 0) <= config.clock.now();
  const rowAt = (key: string): TaskRow | undefined => {
    if (isGone(rows.get(key)?.ttl)) rows.delete(key);
    return rows.get(key);
  };
  const attemptsOf = (tenant: string, id: string, uid: string): Map<string, KeptAttempt> => {
    const key = `${keyOf(tenant, id)}#${uid}`;
    const kept = attempts.get(key) ?? new Map<string, KeptAttempt>();
    attempts.set(key, kept);
    for (const [name, { ttl }] of kept) if (isGone(ttl)) kept.delete(name);
    return kept;
  };

  const is = (row: TaskRow | undefined, version: RowVersion): row is TaskRow =>
    row !== undefined && row.uid === version.uid && row.seq === version.seq && (version.state ?? row.state) === row.state;
  const lost = (row: TaskRow | undefined): WriteResult => ({ applied: false, row: structuredClone(row) });
  const store = (row: TaskRow): WriteResult => {
    rows.set(keyOf(row.tenant, row.id), structuredClone(row));
    return { applied: true, row: structuredClone(row) };
  };

  return {
    get: async (tenant, id) => structuredClone(rowAt(keyOf(tenant, id))),
    insert: async (row) => {
      const found = rowAt(keyOf(row.tenant, row.id));
      return found ? lost(found) : store(row);
    },
    replace: async (row, old) => {
      const found = rowAt(keyOf(row.tenant, row.id));
      return is(found, old) ? store(row) : lost(found);
    },
    update: async (tenant, id, version, change) => {
      const found = rowAt(keyOf(tenant, id));
      return is(found, version) ? store(changed(found, change)) : lost(found);
    },
    archive: async (row) => {
      archive.set(`${keyOf(row.tenant, row.id)}#${row.uid}`, structuredClone(row));
    },
    putAttempt: async (tenant, id, attempt, ttl) => {
      const name = `${attempt.fence}${attempt.late ? '#late' : ''}`;
      attemptsOf(tenant, id, attempt.uid).set(name, { attempt: structuredClone(attempt), ttl });
    },
    keepAttempts: async (tenant, id, uid, least, until) => {
      const kept = attemptsOf(tenant, id, uid);
      for (const [name, { attempt, ttl }] of kept) if (ttl < least) kept.set(name, { attempt, ttl: until });
    },
    attempts: async (tenant, id, uid) => {
      const kept = [...attemptsOf(tenant, id, uid).values()].map(({ attempt }) => structuredClone(attempt));
      return kept.sort((a, b) => a.fence - b.fence);
    },
    scan: async (segment, segments, from): Promise<ScanPage> => {
      const keys = [...rows.keys()].filter((key) => rowAt(key) !== undefined && segmentOf(key, segments) === segment).sort();
      const rest = from === undefined ? keys : keys.filter((key) => key > from);
      const page = rest.slice(0, pageSize);
      return {
        rows: page.flatMap((key) => structuredClone(rows.get(key)) ?? []),
        next: rest.length > page.length ? page.at(-1) : undefined,
      };
    },
    rows: () => structuredClone([...rows.keys()].flatMap((key) => rowAt(key) ?? [])),
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
