import { GetObjectCommand, HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { runTask } from '@sluice/handler';
import { readFile } from 'node:fs/promises';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import type * as Handler from '../../examples/thumbnail/handler.ts';
import { BUCKET, useS3 } from './servers.ts';

const photos = new URL('../../examples/thumbnail/photos/', import.meta.url);
const s3 = useS3();
// Imported once the SDK's environment is set, which the handler's clients read.
let handler: typeof Handler.handler;

async function upload(name: string, body?: Uint8Array): Promise<string> {
  const key = `photos/${name}`;
  await s3().send(new PutObjectCommand({ Bucket: BUCKET, Key: key, Body: body ?? (await readFile(new URL(name, photos))) }));
  return key;
}

async function download(key: string): Promise<{ body: Uint8Array; type: string | undefined }> {
  const { Body, ContentType } = await s3().send(new GetObjectCommand({ Bucket: BUCKET, Key: key }));
  return { body: (await Body?.transformToByteArray()) ?? new Uint8Array(), type: ContentType };
}

beforeAll(async () => {
  ({ handler } = await import('../../examples/thumbnail/handler.ts'));
});

describe('thumbnail', () => {
  it.each([
    // 427 × 64 / 640 is 42.7: the decoder shrinks to an eighth first, and that rounds down.
    ['china.jpg', 320, 214, 64, 42],
    ['flower.jpg', 320, 214, 64, 42],
    ['rocket.jpg', 320, 214, 64, 42],
    // Stored lying down, 1800 × 1200: the thumbnail stands.
    ['portrait-exif6.jpg', 213, 320, 43, 64],
  ])('writes %s beside itself in each size', async (name, width, height, smallWidth, smallHeight) => {
    const key = await upload(name);

    const { thumbnails } = await runTask(handler, { bucket: BUCKET, key, sizes: [320, 64, 320] });

    const stem = key.replace('.jpg', '');
    expect(thumbnails).toEqual([
      { key: `${stem}-320.webp`, width, height, bytes: expect.any(Number) },
      { key: `${stem}-64.webp`, width: smallWidth, height: smallHeight, bytes: expect.any(Number) },
    ]);
    for (const thumbnail of thumbnails) {
      const { body, type } = await download(thumbnail.key);
      const metadata = await sharp(body).metadata();
      expect(type).toBe('image/webp');
      expect(metadata).toMatchObject({ format: 'webp', width: thumbnail.width, height: thumbnail.height });
      expect(metadata).not.toHaveProperty('exif');
      expect(body.byteLength).toBe(thumbnail.bytes);
    }
  });

  it('turns the photo, not only its frame', async () => {
    const key = await upload('portrait-exif6.jpg');
    const { thumbnails } = await runTask(handler, { bucket: BUCKET, key, sizes: [64] });
    const { body } = await download(thumbnails[0]?.key ?? '');
    const upright = sharp(await readFile(new URL('portrait-exif6.jpg', photos))).rotate(90);
    const expected = await upright.resize(43, 64, { fit: 'fill' }).greyscale().raw().toBuffer();
    const actual = await sharp(body).greyscale().raw().toBuffer();
    const difference = actual.reduce((sum, pixel, i) => sum + Math.abs(pixel - (expected[i] ?? 0)), 0) / actual.length;
    expect(difference).toBeLessThan(6);
  });

  it('does not enlarge, and writes the same again', async () => {
    const key = await upload('china.jpg');
    const first = await runTask(handler, { bucket: BUCKET, key, sizes: [2_048] });
    const second = await runTask(handler, { bucket: BUCKET, key, sizes: [2_048] }, { attempt: 2 });
    expect(first.thumbnails[0]).toMatchObject({ width: 640, height: 427 });
    expect(second).toEqual(first);
  });

  it('fails for good when the photo is broken, empty or no photo', async () => {
    const china = await readFile(new URL('china.jpg', photos));
    for (const [name, body] of [
      ['half.jpg', china.subarray(0, china.length / 2)],
      ['empty.jpg', new Uint8Array()],
      ['text.jpg', Buffer.from('not a photo')],
    ] as const) {
      const key = await upload(name, body);
      const failing = runTask(handler, { bucket: BUCKET, key, sizes: [64] });
      await expect(failing).rejects.toMatchObject({ name: 'FatalError', message: expect.stringContaining('cannot be read') });
      const written = s3().send(new HeadObjectCommand({ Bucket: BUCKET, Key: key.replace('.jpg', '-64.webp') }));
      await expect(written).rejects.toMatchObject({ name: 'NotFound' });
    }
  });

  it('fails for good when there is no such photo or bucket', async () => {
    for (const bucket of [BUCKET, 'elsewhere']) {
      const failing = runTask(handler, { bucket, key: 'photos/none.jpg', sizes: [64] });
      await expect(failing).rejects.toMatchObject({ name: 'FatalError', message: expect.stringContaining('none.jpg') });
    }
  });

  it('fails for good, unread, when the photo is too large', async () => {
    const key = await upload('huge.jpg', new Uint8Array(33 * 1_024 * 1_024));
    await expect(runTask(handler, { bucket: BUCKET, key, sizes: [64] })).rejects.toThrow('may have 33554432');
  });

  it('stops when its time is over', async () => {
    const key = await upload('china.jpg');
    const failing = runTask(handler, { bucket: BUCKET, key, sizes: [64] }, { signal: AbortSignal.abort() });
    await expect(failing).rejects.toMatchObject({ name: 'AbortError' });
  });
});
