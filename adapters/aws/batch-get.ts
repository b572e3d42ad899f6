import { setTimeout as pause } from 'node:timers/promises';
import { BatchGetCommand, type BatchGetCommandOutput } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { Random } from '../../core/ports/random.ts';
import { answerOf, type Item, unavailable } from './answers.ts';

/** Keys of one BatchGetItem. */
const BATCH = 100;
const TRIES = 6;
const FIRST_PAUSE_MS = 20;

/**
 * Reads items, each key once, in no order and without those that are not there. What the table left
 * unprocessed (an answer is full at 16 MB, or the table was throttled) is asked for again after a pause with jitter.
 *
 * @param keys no two the same
 * @param options.consistent half the price without @default true
 * @throws `unavailable` when some are left after the last try
 */
export async function readBatch(
  client: DynamoDBDocumentClient,
  what: string,
  table: string,
  random: Pick<Random, 'fraction'>,
  keys: readonly Item[],
  { consistent = true }: { readonly consistent?: boolean } = {},
): Promise<readonly Item[]> {
  const batches = Array.from({ length: Math.ceil(keys.length / BATCH) }, (_, n) => keys.slice(n * BATCH, (n + 1) * BATCH));
  const read = await Promise.all(
    batches.map(async (batch): Promise<readonly Item[]> => {
      const items: Item[] = [];
      let left: Item[] = batch;
      for (let attempt = 0; attempt < TRIES; attempt++) {
        if (attempt > 0) await pause(random.fraction() * FIRST_PAUSE_MS * 2 ** attempt);
        const command = new BatchGetCommand({ RequestItems: { [table]: { Keys: left, ConsistentRead: consistent } } });
        const answer: BatchGetCommandOutput = await answerOf(what, client.send(command));
        items.push(...(answer.Responses?.[table] ?? []));
        left = answer.UnprocessedKeys?.[table]?.Keys ?? [];
        if (left.length === 0) return items;
      }
      throw unavailable(what, new Error(`${left.length} of ${batch.length} reads left unprocessed`));
    }),
  );
  return read.flat();
}
