import { SchemaMismatchError } from './errors.ts';

/** Labels as the API takes them. @throws TypeError for a key that can't be asked for */
export function labelsOf(labels: Readonly<Record<string, string>>): string[] {
  return Object.entries(labels).map(([key, value]) => {
    // The API splits at the first colon.
    if (key.includes(':')) throw new TypeError(`labels: the key ${JSON.stringify(key)} has a colon; it cannot be asked for`);
    return `${key}:${value}`;
  });
}

/** A time as the API takes it. @throws TypeError for an invalid date */
export function timeOf(name: string, value: Date | string | undefined): string | undefined {
  if (!(value instanceof Date)) return value;
  if (Number.isNaN(value.getTime())) throw new TypeError(`${name} is an invalid date`);
  return value.toISOString();
}

/** A path with what of a query is there, a list's name once for each of its values. */
type QueryValue = string | number | undefined;

export function pathWith(path: string, query: Readonly<Record<string, QueryValue | readonly string[]>>): string {
  const pairs = Object.entries(query).flatMap(([name, value]) => [value].flat().map((each) => [name, each] as const));
  // Not URLSearchParams: what it writes for a space is a plus to some readers.
  const text = pairs.flatMap(([name, value]) => (value === undefined ? [] : `${name}=${encodeURIComponent(String(value))}`)).join('&');
  return path + (text && `?${text}`);
}

/** What a list answers with beside its items. */
interface Page {
  readonly cursor?: string | undefined;
}

/** All items of all pages; a page is fetched when the one before has been read to its end. */
export async function* everyItem<P extends Page, Item>(
  page: (cursor: string | undefined) => Promise<P>,
  itemsOf: (page: P) => readonly Item[],
): AsyncGenerator<Item, void, void> {
  let cursor: string | undefined;
  do {
    const answer = await page(cursor);
    yield* itemsOf(answer);
    if (answer.cursor !== undefined && answer.cursor === cursor) {
      throw new SchemaMismatchError(
        'a page of the list has the cursor that it was asked for with; it would never end',
        JSON.stringify(answer),
      );
    }
    cursor = answer.cursor;
  } while (cursor !== undefined);
}
