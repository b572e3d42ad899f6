import type { Server } from 'node:http';
import { createRequire } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import { ACCOUNT, REGION } from '../account.ts';
import { listenPreferably } from './listen.ts';
import type { ServerOptions } from './server-thread.ts';

// The thread of the DynamoDB server: dynalite, with what the platform needs and it lacks.

process.env['AWS_ACCOUNT_ID'] = ACCOUNT;
process.env['AWS_REGION'] = REGION;

const require = createRequire(import.meta.url);
returnItemsOnFailedConditions();

const options = workerData as ServerOptions;
const dynalite = require('dynalite') as (options: object) => Server;
const server = dynalite({
  createTableMs: 0,
  deleteTableMs: 0,
  updateTableMs: 0,
  ...(options.directory === undefined ? {} : { path: options.directory }),
});
server.keepAliveTimeout = 60_000;

parentPort?.on('message', () => {
  server.close(() => parentPort?.postMessage('closed'));
  server.closeAllConnections();
});
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
  type Check = (data: Record<string, unknown>, item: unknown) => (Error & { body?: Record<string, unknown> }) | null;
  const database = require('dynalite/db') as { checkConditional: Check };
  const check = database.checkConditional;
  database.checkConditional = (data, item) => {
    const failure = check(data, item);
    if (failure?.body !== undefined && data[field] === 'ALL_OLD' && item) failure.body['Item'] = item;
    return failure;
  };
}
