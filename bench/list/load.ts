import { createRequire } from 'node:module';
import type { TaskRow } from '@sluice/contracts';
import { itemOfRow } from '../../adapters/aws/task-item.ts';
import { createMemoryRandom } from '../../adapters/memory/random.ts';
import { endedRow } from '../ended-row.ts';

const DAY_MS = 86_400_000;
/** Entries of one write of the store. */
const BATCH = 4_000;

export interface Load {
  readonly tenant: string;
  readonly rows: number;
  /** Rows are accepted evenly over so many days until now. */
  readonly days: number;
}

type Callback<T> = (error: Error | null, value?: T) => void;
interface Operation {
  readonly type: 'put';
  readonly key: string;
  readonly value: object;
}
interface Part {
  readonly batch: (operations: readonly Operation[], done: Callback<void>) => void;
}
interface Table {
  readonly GlobalSecondaryIndexes: readonly { readonly IndexName: string }[];
}
interface Entry {
  readonly index: string;
  readonly key: string;
  readonly item: object;
}
interface Store {
  readonly db: { readonly close: (done: Callback<void>) => void };
  readonly getTable: (name: string, done: Callback<Table>) => void;
  readonly getItemDb: (table: string) => Part;
  readonly getIndexDb: (kind: 'Global', table: string, index: string) => Part;
}
interface Dynalite {
  readonly create: (options: { readonly path: string }) => Store;
  readonly createKey: (item: object, table: Table) => string;
  readonly getIndexActions: (
    indexes: Table['GlobalSecondaryIndexes'],
    before: undefined,
    item: object,
    table: Table,
  ) => { readonly puts: readonly Entry[] };
}

const dynalite = createRequire(import.meta.url)('dynalite/db') as Dynalite;

/**
 * Puts rows straight into the store of a DynamoDB server (dynalite) that is not running, with their entries of the
 * indexes: by a call for each row a million would take ten minutes. Items are those of the task store, and keys and
 * index entries are made by the server's own functions, so that it reads them as if it had written them.
 */
export async function load(directory: string, tableName: string, given: Load): Promise<void> {
  const store = dynalite.create({ path: directory });
  const table = await called<Table>((done) => store.getTable(tableName, done));
  if (!table) throw new Error(`there is no table ${tableName}`);
  const indexes = table.GlobalSecondaryIndexes;
  const random = createMemoryRandom();
  const now = Date.now();
  for (let first = 0; first < given.rows; first += BATCH) {
    const items: Operation[] = [];
    const entries = new Map<string, Operation[]>(indexes.map(({ IndexName }) => [IndexName, []]));
    for (let n = first; n < Math.min(first + BATCH, given.rows); n++) {
      const at = now - Math.floor(((given.rows - n) * given.days * DAY_MS) / given.rows);
      const item = typed(itemOfRow(rowOf(given.tenant, n, at, random.ulid(at)), true));
      items.push({ type: 'put', key: dynalite.createKey(item, table), value: item });
      for (const put of dynalite.getIndexActions(indexes, undefined, item, table).puts) {
        entries.get(put.index)?.push({ type: 'put', key: put.key, value: put.item });
      }
    }
    await called((done) => store.getItemDb(tableName).batch(items, done));
    for (const [index, puts] of entries) await called((done) => store.getIndexDb('Global', tableName, index).batch(puts, done));
  }
  await called((done) => store.db.close(done));
}

/** What the SDK makes of an item, for the kinds of values that rows have: the SDK itself takes longer than all the rest. */
function typed(item: object): object {
  const made: Record<string, object> = {};
  for (const [name, value] of Object.entries(item)) made[name] = typedValue(value);
  return made;
}

function typedValue(value: unknown): object {
  if (typeof value === 'string') return { S: value };
  if (typeof value === 'number') return { N: String(value) };
  if (typeof value === 'object' && value !== null) return { M: typed(value) };
  throw new Error(`rows have no ${typeof value}`);
}

/** Rows of tasks that have succeeded, but for one in a hundred that failed. */
function rowOf(tenant: string, n: number, at: number, uid: string): TaskRow {
  const failed = n % 100 === 0;
  return {
    ...endedRow(tenant, n, at, uid),
    type: ['thumbnail', 'send-email', 'import-csv'][n % 3] ?? '',
    state: failed ? 'failed' : 'succeeded',
    attempts: 1,
    ...(failed && { reason: 'fatal', error: { name: 'FatalError', message: 'no such order' } }),
    ...(!failed && { result: { in: 'row', json: '{"ok":true}' } }),
  };
}

function called<T>(call: (done: Callback<T>) => void): Promise<T | undefined> {
  return new Promise((resolve, reject) => call((error, value) => (error ? reject(error) : resolve(value))));
}
