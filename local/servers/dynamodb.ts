import { startServerThread, type ServerOptions, type ServerThread } from './server-thread.ts';

/** Starts DynamoDB (dynalite: no transactions, no streams, no TTL deletes). */
export function startDynamoDb(options: ServerOptions, onFailure: (error: Error) => void): Promise<ServerThread> {
  return startServerThread('DynamoDB', new URL('./dynamodb-thread.ts', import.meta.url), options, onFailure);
}
