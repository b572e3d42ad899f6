import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import sharp from 'sharp';
import { beforeAll, describe, expect, test } from 'vitest';
import { citiesCsv } from '../../examples/import-csv/cities-csv.ts';
import { aws, clientOf, finished, fresh, output, type Client } from './target.ts';

const PHOTOS = join(import.meta.dirname, '..', '..', 'examples', 'thumbnail', 'photos');
const CSV_ROWS = 2_000;

describe.concurrent('examples', () => {
  let client: Client;
  let bucket: string;
  beforeAll(async () => {
    client = await clientOf(fresh('examples'));
    bucket = output('ExamplesBucket');
  });

  test.each([
    ['china.jpg', 'landscape'],
    ['flower.jpg', 'landscape'],
    ['rocket.jpg', 'landscape'],
    ['portrait-exif6.jpg', 'portrait'],
  ])('thumbnail makes upright thumbnails of %s', async (photo, shape) => {
    const key = `photos/${fresh('e2e')}/${photo}`;
    await aws.s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: readFileSync(join(PHOTOS, photo)) }));
    const { id } = await client.submit({ type: 'thumbnail', payload: { bucket, key, sizes: [320, 64] } });

    const task = await finished(client, id);

    expect(task).toMatchObject({ state: 'succeeded', attempts: 1 });
    const { thumbnails } = task.result as { thumbnails: { key: string; width: number; height: number; bytes: number }[] };
    expect(thumbnails.map((each) => Math.max(each.width, each.height))).toEqual([320, 64]);
    for (const thumbnail of thumbnails) {
      const image = await object(bucket, thumbnail.key);
      const { format, width, height } = await sharp(image).metadata();
      expect({ format, width, height, bytes: image.byteLength }).toEqual({
        format: 'webp',
        width: thumbnail.width,
        height: thumbnail.height,
        bytes: thumbnail.bytes,
      });
      expect(width > height ? 'landscape' : 'portrait').toBe(shape);
    }
  });

  test('thumbnail fails for good for a photo that is not there', async () => {
    const payload = { bucket, key: `photos/${fresh('none')}.jpg`, sizes: [64] };
    const { id } = await client.submit({ type: 'thumbnail', payload });

    expect(await finished(client, id)).toMatchObject({ state: 'failed', reason: 'fatal', attempts: 1 });
  });

  test('import-csv writes every good row to its table and names the bad ones', async () => {
    const key = `csv/${fresh('e2e')}.csv`;
    const lines = await firstLines(CSV_ROWS + 1);
    lines[100] = 'Nowhere,north,0.0,XX,01,';
    await aws.s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: lines.join('\r\n') }));
    const { id } = await client.submit({ type: 'import-csv', payload: { bucket, key } });

    const task = await finished(client, id);

    expect(task).toMatchObject({
      state: 'succeeded',
      attempts: 1,
      // The other one is a city without a region: the data is as it is.
      result: { rows: CSV_ROWS, written: CSV_ROWS - 2, rejected: 2, firstErrors: [{ line: 50 }, { line: 101 }] },
    });
    const country = /,([A-Z]{2}),[^,]*,[^,]*$/.exec(lines[1] ?? '')?.[1] ?? '';
    const { Items = [] } = await aws.dynamodb.send(
      new QueryCommand({
        TableName: output('CitiesTable'),
        KeyConditionExpression: 'country = :country and begins_with(#part, :file)',
        ExpressionAttributeNames: { '#part': 'part' },
        ExpressionAttributeValues: { ':country': country, ':file': `${bucket}/${key}#` },
      }),
    );
    const cities = Items.flatMap((item) => item['cities'] as { name: string }[]);
    expect(cities.length).toBeGreaterThan(0);
    expect(lines[1]).toContain(cities[0]?.name);
  });

  test('clean-text, a function in Python without the kit, answers with its result', async () => {
    const { id } = await client.submit({ type: 'clean-text', payload: { text: '“Hello”,   world …\r\n\r\n\r\n\r\nBye' } });

    expect(await finished(client, id)).toMatchObject({
      state: 'succeeded',
      result: { text: '"Hello", world ...\n\nBye', stats: { lines: 3, words: 3 } },
    });
  });

  test('clean-text fails with the name of its exception', async () => {
    const { id } = await client.submit({ type: 'clean-text', payload: { text: 7 }, retry: { maxAttempts: 1 } });

    expect(await finished(client, id)).toMatchObject({
      state: 'failed',
      reason: 'attempts_exhausted',
      error: { name: 'ValueError', message: 'the payload must be {"text": "..."}' },
    });
  });
});

async function object(bucket: string, key: string): Promise<Uint8Array> {
  const { Body } = await aws.s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  if (Body === undefined) throw new Error(`s3://${bucket}/${key} has no body`);
  return Body.transformToByteArray();
}

async function firstLines(count: number): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of createInterface({ input: citiesCsv() })) {
    if (lines.push(line) === count) break;
  }
  return lines;
}
