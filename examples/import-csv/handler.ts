import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { defineTask, FatalError } from '@sluice/handler';
import type { Readable } from 'node:stream';
import * as z from 'zod';
import { createBatchWriter } from './batch-writer.ts';
import { createChunks } from './chunks.ts';
import { readCities } from './read-cities.ts';

/** What is kept of the rows that were refused; the rest is counted. */
const FIRST_ERRORS = 5;

const s3 = new S3Client({});
const table = DynamoDBDocumentClient.from(new DynamoDBClient({}));

/**
 * Imports a CSV of cities from S3 into the table that `CITIES_TABLE` names. The file is streamed, so its size does
 * not matter to memory; bad rows are counted and skipped; a repeated import of the same file writes the same items.
 */
export const handler = defineTask({
  type: 'import-csv',
  input: z.object({ bucket: z.string().min(3), key: z.string().min(1) }),
  async run(ctx, { bucket, key }) {
    const writer = createBatchWriter({ client: table, table: tableName(), signal: ctx.signal });
    const chunks = createChunks(`${bucket}/${key}`);
    const firstErrors: { line: number; problem: string }[] = [];
    let rows = 0;
    let rejected = 0;
    for await (const { line, city, problem } of readCities(await open(bucket, key, ctx.signal))) {
      ctx.signal.throwIfAborted();
      rows += 1;
      if (city === undefined) {
        rejected += 1;
        if (firstErrors.length < FIRST_ERRORS) firstErrors.push({ line, problem });
        continue;
      }
      const full = chunks.add(line, city);
      // Awaited: a slow table slows the reading down, instead of filling the memory.
      if (full) await writer.put(full);
    }
    const last = chunks.end();
    if (last) await writer.put(last);
    const items = await writer.finish();
    ctx.log.info('csv imported', { rows, rejected, items });
    return { rows, written: rows - rejected, rejected, items, firstErrors };
  },
});

function tableName(): string {
  const name = process.env['CITIES_TABLE'];
  if (!name) throw new Error('CITIES_TABLE is not set: give the function the name of its table');
  return name;
}

async function open(bucket: string, key: string, signal: AbortSignal): Promise<Readable> {
  try {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }), { abortSignal: signal });
    return Body as Readable;
  } catch (cause) {
    if (cause instanceof Error && (cause.name === 'NoSuchKey' || cause.name === 'NoSuchBucket')) {
      throw new FatalError(`there is no file s3://${bucket}/${key}`, { cause });
    }
    throw cause;
  }
}
