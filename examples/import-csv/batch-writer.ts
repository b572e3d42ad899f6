import { BatchWriteCommand, type BatchWriteCommandInput, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { ThrottledError } from '@sluice/handler';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CityItem } from './chunks.ts';

/** Items of one BatchWriteItem, as DynamoDB allows. */
const BATCH_ITEMS = 25;
/** Batches under way at once. */
const BATCHES_AT_ONCE = 4;
/** Tries of what DynamoDB left unprocessed, and milliseconds before the first of them, doubled for each. */
const TRIES = 8;
const FIRST_DELAY_MS = 50;
/** Seconds after which a table that takes nothing is tried again. */
const RETRY_AFTER_SECONDS = 30;

export interface BatchWriterOptions {
  readonly client: DynamoDBDocumentClient;
  readonly table: string;
  readonly signal: AbortSignal;
}

export interface BatchWriter {
  /** Resolves when there is room for more. @throws what an earlier batch failed with */
  put(item: CityItem): Promise<void>;
  /** Writes the rest. @returns items written */
  finish(): Promise<number>;
}

type Requests = NonNullable<BatchWriteCommandInput['RequestItems']>;

/** Writes items in batches, a few at once. */
export function createBatchWriter({ client, table, signal }: BatchWriterOptions): BatchWriter {
  const underWay = new Set<Promise<void>>();
  let batch: CityItem[] = [];
  let written = 0;
  let failure: { readonly error: unknown } | undefined;

  async function write(items: readonly CityItem[]): Promise<void> {
    let left: Requests = { [table]: items.map((Item) => ({ PutRequest: { Item } })) };
    for (let tried = 1; ; tried += 1) {
      const { UnprocessedItems } = await client.send(new BatchWriteCommand({ RequestItems: left }), { abortSignal: signal });
      left = UnprocessedItems ?? {};
      if (Object.keys(left).length === 0) break;
      if (tried === TRIES) {
        // The table is short of capacity, which is no fault of the file: free, and fewer imports at once from here.
        throw new ThrottledError(`${table} left items unprocessed ${TRIES} times`, { retryAfter: RETRY_AFTER_SECONDS });
      }
      const delayMs = FIRST_DELAY_MS * 2 ** (tried - 1);
      await sleep(delayMs / 2 + (Math.random() * delayMs) / 2, undefined, { signal });
    }
    written += items.length;
  }

  function start(): void {
    const items = batch;
    batch = [];
    const done = write(items).then(
      () => void underWay.delete(done),
      (error: unknown) => {
        underWay.delete(done);
        failure ??= { error };
      },
    );
    underWay.add(done);
  }

  return {
    async put(item) {
      if (failure) {
        // What is still under way must not go on in the background of another attempt.
        await Promise.all(underWay);
        throw failure.error;
      }
      batch.push(item);
      if (batch.length < BATCH_ITEMS) return;
      start();
      if (underWay.size >= BATCHES_AT_ONCE) await Promise.race(underWay);
    },
    async finish() {
      if (batch.length > 0) start();
      await Promise.all(underWay);
      if (failure) throw failure.error;
      return written;
    },
  };
}
