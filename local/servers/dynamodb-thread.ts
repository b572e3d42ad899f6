import { createRequire } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import { ACCOUNT, REGION } from '../account.ts';
import { createDynalite } from './dynalite/server.ts';
import { listenPreferably } from './listen.ts';
import { shiftDate } from '../shifted-date.mjs';
import type { ServerOptions } from './server-thread.ts';

// The thread of the DynamoDB server: dynalite, with what the platform needs and it lacks.

process.env['AWS_ACCOUNT_ID'] = ACCOUNT;
process.env['AWS_REGION'] = REGION;

interface Table {
  TableStatus: string;
  GlobalSecondaryIndexes?: { IndexStatus: string }[];
}
type Check = (data: Record<string, unknown>, item: unknown) => (Error & { body?: Record<string, unknown> }) | null;

const require = createRequire(import.meta.url);
returnItemsOnFailedConditions();

const options = workerData as ServerOptions;
const { server, store } = createDynalite({
  createTableMs: 0,
  deleteTableMs: 0,
  updateTableMs: 0,
  ...(options.directory === undefined ? {} : { path: options.directory }),
});
server.keepAliveTimeout = 60_000;

parentPort?.on('message', (message: 'close' | { offsetMs: number }) => {
  if (message !== 'close') return shiftDate(message.offsetMs);
  server.close(() => parentPort?.postMessage('closed'));
  server.closeAllConnections();
});
await finishTables();
parentPort?.postMessage({ port: await listenPreferably(server, options.preferredPort) });

/**
 * `ReturnValuesOnConditionCheckFailure` is unknown to dynalite and would be dropped with the other unknown fields.
 * The item must be the one that the condition was checked against, under the same lock, so it is added where dynalite
 * compares them and not by a read afterwards.
 */
function returnItemsOnFailedConditions(): void {
  const field = 'ReturnValuesOnConditionCheckFailure';
  for (const action of ['putItem', 'updateItem', 'deleteItem']) {
    const validation = require(`dynalite/validations/${action}`) as { types: Record<string, unknown> };
    validation.types[field] = { type: 'String', enum: ['ALL_OLD', 'NONE'] };
  }
  const database = require('dynalite/db') as { checkConditional: Check };
  const check = database.checkConditional;
  database.checkConditional = (data, item) => {
    const failure = check(data, item);
    if (failure?.body !== undefined && data[field] === 'ALL_OLD' && item) failure.body['Item'] = item;
    return failure;
  };
}

/** A table that was being made when the process was killed would be in the making for ever: nothing is left to do for it. */
async function finishTables(): Promise<void> {
  for await (const [key, value] of store.db.iterator({ gte: 'table~', lt: 'table~\xff' })) {
    const table = value as Table;
    if (table.TableStatus !== 'CREATING') continue;
    table.TableStatus = 'ACTIVE';
    for (const index of table.GlobalSecondaryIndexes ?? []) index.IndexStatus = 'ACTIVE';
    await store.db.put(key, table);
  }
}
