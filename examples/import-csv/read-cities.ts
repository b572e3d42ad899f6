import { FatalError } from '@sluice/handler';
import { parse, type CsvError } from 'csv-parse';
import { pipeline, type Readable } from 'node:stream';
import * as z from 'zod';

const COLUMNS = ['name', 'lat', 'lng', 'country', 'admin1', 'admin2'] as const;
/** Bytes of one record: a quote that is never closed must not take the rest of the file for one value. */
const MAX_RECORD_BYTES = 16_384;

const citySchema = z.object({
  name: z.string().min(1).max(200),
  lat: degrees(90),
  lng: degrees(180),
  country: z.string().regex(/^[A-Z]{2}$/, 'a country is two capital letters (ISO 3166)'),
  /** Every city belongs to a region; the data has a hundred that do not, of disputed or very small countries. */
  admin1: z.string().min(1, 'a city needs its region'),
  /** The district; the empty text where there is none. */
  admin2: z.string(),
});
export type City = z.output<typeof citySchema>;

function degrees(limit: number) {
  // Not z.coerce: Number('') is 0, which is a place in the Atlantic.
  return z
    .string()
    .regex(/^-?\d{1,3}(\.\d+)?$/, 'degrees are written as -12.345')
    .transform(Number)
    .pipe(z.number().min(-limit).max(limit));
}

/** A row of the file: a city, or what is wrong with it. `line` is that of the file, counted from 1, the header's. */
export type CityRow =
  | { readonly line: number; readonly city: City; readonly problem?: never }
  | { readonly line: number; readonly city?: never; readonly problem: string };

interface ParsedRecord {
  readonly record: unknown;
  readonly info: { readonly lines: number };
}

/**
 * Reads a CSV row by row, as fast as it is consumed. A line that is no record comes a few rows early.
 *
 * @throws FatalError for a file that is no such CSV: columns missing, or a record without end
 */
export async function* readCities(file: Readable): AsyncGenerator<CityRow> {
  const skipped: CityRow[] = [];
  const parser = parse({
    bom: true,
    columns: checkedColumns,
    info: true,
    skip_empty_lines: true,
    max_record_size: MAX_RECORD_BYTES,
    // One bad line is a rejected row, not the end of the import.
    skip_records_with_error: true,
    on_skip: (error) => {
      if (error?.code === 'CSV_MAX_RECORD_SIZE') throw error;
      skipped.push({ line: lineOf(error), problem: error?.message ?? 'not a record' });
      return undefined;
    },
  });
  // Not `pipe`: a file that breaks off must break the parser too. What broke is thrown by the loop below.
  pipeline(file, parser, () => undefined);
  try {
    for await (const { record, info } of parser as AsyncIterable<ParsedRecord>) {
      yield* skipped.splice(0);
      const parsed = citySchema.safeParse(record);
      if (parsed.success) yield { line: info.lines, city: parsed.data };
      else yield { line: info.lines, problem: parsed.error.issues.map((i) => `${i.path.join('.')}: ${i.message}`).join('; ') };
    }
  } catch (error) {
    const { code, message } = error as CsvError;
    if (code === 'CSV_MAX_RECORD_SIZE') throw new FatalError(`not the CSV it should be: ${message}`, { cause: error });
    throw error;
  }
  yield* skipped;
}

function lineOf(error: CsvError | undefined): number {
  const lines = error?.['lines'];
  return typeof lines === 'number' ? lines : 0;
}

function checkedColumns(header: readonly string[]): string[] {
  const missing = COLUMNS.filter((column) => !header.includes(column));
  if (missing.length > 0) {
    throw new FatalError(`the CSV has no column ${missing.join(', ')}; its first line is ${header.join(',').slice(0, 200)}`);
  }
  return [...header];
}
