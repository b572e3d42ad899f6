import { setTimeout as pause } from 'node:timers/promises';
import { BatchWriteCommand, type BatchWriteCommandOutput } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { Random } from '../../core/ports/random.ts';
import { answerOf, type Item, unavailable } from './answers.ts';

/** Requests of one BatchWriteItem. */
const BATCH = 25;
const TRIES = 6;
const FIRST_PAUSE_MS = 20;

export type BatchRequest = { readonly put: Item } | { readonly remove: Item };

/**
 * Writes items without conditions, each key once. What the table left unprocessed (it was throttled) is tried again
 * after a pause with jitter.
 * @throws `unavailable` when some are left after the last try; others may have been written.
 */
export async function writeBatch(
  client: DynamoDBDocumentClient,
  what: string,
  table: string,
  random: Pick<Random, 'fraction'>,
  requests: readonly BatchRequest[],
): Promise<void> {
  // BatchWriteItem refuses two requests of one key; the last one counts, as it would have one by one.
  const byKey = new Map(requests.map((request) => [keyOf(request), request]));
  const unique = [...byKey.values()].map((request) =>
    'put' in request ? { PutRequest: { Item: request.put } } : { DeleteRequest: { Key: request.remove } },
  );
  const batches = Array.from({ length: Math.ceil(unique.length / BATCH) }, (_, n) => unique.slice(n * BATCH, (n + 1) * BATCH));

  await Promise.all(
    batches.map(async (batch) => {
      let left: BatchWriteCommandOutput['UnprocessedItems'] = { [table]: batch };
      for (let attempt = 0; attempt < TRIES; attempt++) {
        if (attempt > 0) await pause(random.fraction() * FIRST_PAUSE_MS * 2 ** attempt);
        const answer: BatchWriteCommandOutput = await answerOf(what, client.send(new BatchWriteCommand({ RequestItems: left })));
        left = answer.UnprocessedItems;
        if (!left?.[table]?.length) return;
      }
      throw unavailable(what, new Error(`${left?.[table]?.length} of ${batch.length} writes left unprocessed`));
    }),
  );
}

function keyOf(request: BatchRequest): string {
  const { p, s } = 'put' in request ? request.put : request.remove;
  return JSON.stringify([p, s]);
}
