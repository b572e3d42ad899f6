import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { defineTask, FatalError } from '@sluice/handler';
import * as z from 'zod';
import { makeThumbnail } from './make-thumbnail.ts';

/** Bytes of the largest photo that is read: what is decoded takes a multiple of it in memory. */
const MAX_PHOTO_BYTES = 32 * 1_024 * 1_024;

const s3 = new S3Client({});

/**
 * Makes thumbnails of a photo in S3 and writes them beside it: `photos/china.jpg` becomes `photos/china-320.webp`.
 * Idempotent: the same photo and size give the same key, and writing it again changes nothing.
 */
export const handler = defineTask({
  type: 'thumbnail',
  input: z.object({
    bucket: z.string().min(3),
    key: z.string().min(1),
    /** Pixels of the longer edge. */
    sizes: z.array(z.int().min(16).max(2_048)).min(1).max(8),
  }),
  async run(ctx, { bucket, key, sizes }) {
    const photo = await readPhoto(bucket, key, ctx.signal);
    const thumbnails: { key: string; width: number; height: number; bytes: number }[] = [];
    // One after the other: a decoded photo is large, and libvips uses every core for one already.
    for (const size of new Set(sizes)) {
      ctx.signal.throwIfAborted();
      const { body, width, height } = await makeThumbnail(photo, size);
      const thumbnailKey = `${key.replace(/\.[^./]+$/, '')}-${size}.webp`;
      await s3.send(new PutObjectCommand({ Bucket: bucket, Key: thumbnailKey, Body: body, ContentType: 'image/webp' }), {
        abortSignal: ctx.signal,
      });
      ctx.log.info('thumbnail written', { key: thumbnailKey, width, height });
      thumbnails.push({ key: thumbnailKey, width, height, bytes: body.byteLength });
    }
    return { thumbnails };
  },
});

async function readPhoto(bucket: string, key: string, signal: AbortSignal): Promise<Uint8Array> {
  try {
    const { Body, ContentLength = 0 } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }), {
      abortSignal: signal,
    });
    if (ContentLength > MAX_PHOTO_BYTES) {
      throw new FatalError(`s3://${bucket}/${key} has ${ContentLength} bytes; a photo may have ${MAX_PHOTO_BYTES}`);
    }
    return (await Body?.transformToByteArray()) ?? new Uint8Array();
  } catch (cause) {
    // What is not there now will not be there in a minute: producers submit after they upload.
    if (cause instanceof Error && (cause.name === 'NoSuchKey' || cause.name === 'NoSuchBucket')) {
      throw new FatalError(`there is no photo s3://${bucket}/${key}`, { cause });
    }
    throw cause;
  }
}
