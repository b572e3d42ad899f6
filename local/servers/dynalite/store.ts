import { having } from './parts.ts';

type Callback = (error?: Error | null, value?: unknown) => void;

interface Level {
  get(key: string, callback?: Callback): unknown;
  getSync(key: string): unknown;
  put(key: string, value: unknown, callback?: Callback): Promise<void> | undefined;
  iterator(range: { gte: string; lt: string }): AsyncIterable<[string, unknown]>;
}

interface Tables {
  put(name: string, table: unknown, callback: Callback): void;
  del(name: string, callback: Callback): void;
}

/** A store of dynalite; its tables and their items are entries of one LevelDB. */
export interface Store {
  db: Level;
  tableDb: Tables;
  getTable(name: string, ...rest: unknown[]): void;
}

/** Lets a store read without a turn of the event loop for each step, and keep the descriptions of its tables. */
export function speedUpStore(store: Store): Store {
  having(store, "dynalite's store", 'getTable');
  const level = having(store.db, "dynalite's database", 'get', 'getSync', 'put');
  const get = level.get.bind(level);
  level.get = (key, callback) => {
    if (callback === undefined) return get(key);
    let value: unknown;
    try {
      value = level.getSync(key);
    } catch {
      // It is not open yet, or no more.
      return get(key, callback);
    }
    process.nextTick(callback, null, value);
    return undefined;
  };
  const put = level.put.bind(level);
  level.put = (key, value, callback) => {
    if (callback === undefined) return put(key, value);
    put(key, value)?.then(() => callback(null), callback);
    return undefined;
  };
  rememberTables(store);
  return store;
}

function rememberTables(store: Store): void {
  const tables = having(store.tableDb, "dynalite's tables", 'put', 'del');
  const known = new Map<string, unknown>();
  const [getTable, put, del] = [store.getTable.bind(store), tables.put.bind(tables), tables.del.bind(tables)];
  store.getTable = (name, ...rest) => {
    const [callback] = rest as [Callback];
    // With another argument it is asked for by what changes tables.
    if (rest.length !== 1 || typeof callback !== 'function') return getTable(name, ...rest);
    const table = known.get(name);
    if (table !== undefined) return process.nextTick(callback, null, table);
    getTable(name, (error: Error | null, found: unknown) => {
      if (error === null) known.set(name, found);
      callback(error, found);
    });
  };
  // Read before a change and told after it, a table would be kept as it was.
  tables.put = (name, table, callback) => {
    put(name, table, (...answer) => {
      known.delete(name);
      callback(...answer);
    });
  };
  tables.del = (name, callback) => {
    del(name, (...answer) => {
      known.delete(name);
      callback(...answer);
    });
  };
}
