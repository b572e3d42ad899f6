import { GetObjectCommand, NoSuchKey, PutObjectCommand, S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import { defineTask, RetryableError, type TaskContext } from '@sluice/handler';
import * as z from 'zod';

const s3 = new S3Client({});

/** Writes an invoice, which an attempt with a lower fence cannot overwrite. */
export const handler = defineTask({
  type: 'write-invoice',
  input: z.object({ order: z.string(), total: z.number() }),
  async run(ctx, { order, total }) {
    const object = { Bucket: process.env['INVOICES_BUCKET'], Key: `invoices/${order}/${ctx.uid}.json` };
    const seen = await read(ctx, object);
    if (seen !== undefined && seen.fence >= ctx.fence) return { key: object.Key };
    try {
      await s3.send(
        new PutObjectCommand({
          ...object,
          // The fence is in the content: an ETag then stands for one attempt's object alone.
          Body: JSON.stringify({ order, total, fence: ctx.fence }),
          // Only if nobody has written since this attempt has looked.
          ...(seen === undefined ? { IfNoneMatch: '*' } : { IfMatch: seen.etag }),
        }),
        { abortSignal: ctx.signal },
      );
    } catch (error) {
      // 412: another attempt was first. 409: it is writing just now. The next attempt looks again.
      const status = error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
      if (status !== 412 && status !== 409) throw error;
      throw new RetryableError('another attempt wrote at the same time', { cause: error });
    }
    return { key: object.Key };
  },
});

async function read(
  ctx: TaskContext,
  object: { Bucket: string | undefined; Key: string },
): Promise<{ etag: string; fence: number } | undefined> {
  try {
    const { ETag = '', Body } = await s3.send(new GetObjectCommand(object), { abortSignal: ctx.signal });
    const { fence } = JSON.parse((await Body?.transformToString()) ?? '{}') as { fence: number };
    return { etag: ETag, fence };
  } catch (error) {
    if (error instanceof NoSuchKey) return undefined;
    throw error;
  }
}
