import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { HostError } from './errors.ts';

/** Text rows by kind and id, listed in the order of their ids. */
interface Rows {
  put(kind: string, id: string, value: string): void;
  get(kind: string, id: string): string | undefined;
  delete(kind: string, id: string): void;
  list(kind: string): { id: string; value: string }[];
  close(): void;
}

/**
 * What the host itself must not lose: accepted asynchronous events, schedules, the ports of the last start.
 * Rows in SQLite in the data folder, or in memory without one.
 */
export class HostState implements Rows {
  private readonly rows: Rows;

  constructor(directory: string | undefined) {
    this.rows = directory === undefined ? new RowsInMemory() : new RowsInFolder(directory);
  }

  put(kind: string, id: string, value: string): void {
    this.rows.put(kind, id, value);
  }

  get(kind: string, id: string): string | undefined {
    return this.rows.get(kind, id);
  }

  delete(kind: string, id: string): void {
    this.rows.delete(kind, id);
  }

  list(kind: string): { id: string; value: string }[] {
    return this.rows.list(kind);
  }

  close(): void {
    this.rows.close();
  }
}

class RowsInMemory implements Rows {
  private readonly kinds = new Map<string, Map<string, string>>();

  put(kind: string, id: string, value: string): void {
    const rows = this.kinds.get(kind);
    if (rows === undefined) this.kinds.set(kind, new Map([[id, value]]));
    else rows.set(id, value);
  }

  get(kind: string, id: string): string | undefined {
    return this.kinds.get(kind)?.get(id);
  }

  delete(kind: string, id: string): void {
    this.kinds.get(kind)?.delete(id);
  }

  list(kind: string): { id: string; value: string }[] {
    const rows = [...(this.kinds.get(kind) ?? [])].map(([id, value]) => ({ id, value }));
    return rows.sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  close(): void {
    this.kinds.clear();
  }
}

class RowsInFolder implements Rows {
  private readonly database: DatabaseSync;
  private readonly putRow;
  private readonly getRow;
  private readonly deleteRow;
  private readonly listRows;

  constructor(directory: string) {
    mkdirSync(directory, { recursive: true });
    this.database = new DatabaseSync(join(directory, 'host.db'));
    lock(this.database, directory);
    // A killed process loses nothing that was written, only a crash of the machine would: no need to wait for the disk.
    this.database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF');
    this.database.exec('CREATE TABLE IF NOT EXISTS entries (kind TEXT, id TEXT, value TEXT, PRIMARY KEY (kind, id)) WITHOUT ROWID');
    this.putRow = this.database.prepare('INSERT OR REPLACE INTO entries (kind, id, value) VALUES (?, ?, ?)');
    this.getRow = this.database.prepare('SELECT value FROM entries WHERE kind = ? AND id = ?');
    this.deleteRow = this.database.prepare('DELETE FROM entries WHERE kind = ? AND id = ?');
    this.listRows = this.database.prepare('SELECT id, value FROM entries WHERE kind = ? ORDER BY id');
  }

  put(kind: string, id: string, value: string): void {
    this.putRow.run(kind, id, value);
  }

  get(kind: string, id: string): string | undefined {
    return this.getRow.get(kind, id)?.['value'] as string | undefined;
  }

  delete(kind: string, id: string): void {
    this.deleteRow.run(kind, id);
  }

  list(kind: string): { id: string; value: string }[] {
    return this.listRows.all(kind) as { id: string; value: string }[];
  }

  close(): void {
    this.database.close();
  }
}

/**
 * Takes a data folder before the host does, for work that is done in it beforehand. Every process that takes it so has it
 * alone until it ends, however it ends. @throws HostError `DATA_IN_USE`
 */
export function takeDataFolder(directory: string): void {
  mkdirSync(directory, { recursive: true });
  const database = new DatabaseSync(join(directory, 'taken.db'));
  lock(database, directory);
  taken.push(database);
}

/** They stay open, and with them the locks. */
const taken: DatabaseSync[] = [];

/** The whole folder belongs to one process: queues and tables in it know only their own. */
function lock(database: DatabaseSync, directory: string): void {
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; COMMIT');
  } catch (error) {
    database.close();
    throw new HostError('DATA_IN_USE', `Another host has the data folder ${directory} open: end it, or choose another.`, {
      cause: error,
    });
  }
}
