import { listQuerySchema, listResponseSchema, ROUTES } from '@sluice/contracts';
import type { ListQuery, ListResponse } from '@sluice/contracts';
import { SchemaMismatchError } from './errors.ts';
import type { Transport } from './transport.ts';
import type { PageFilter } from './types.ts';

/** @throws TypeError naming what is wrong with the filter */
export function checkedQuery(filter: Omit<PageFilter, 'type'> & { readonly type?: string | undefined }): ListQuery {
  const { type, state, labels = {}, from, to, pageSize, cursor } = filter;
  const label = Object.entries(labels).map(([key, value]) => {
    // The API splits at the first colon.
    if (key.includes(':')) throw new TypeError(`labels: the key ${JSON.stringify(key)} has a colon; it cannot be asked for`);
    return `${key}:${value}`;
  });
  const parsed = listQuerySchema.safeParse({
    type,
    state,
    label: label.length > 0 ? label : undefined,
    from: timeOf('from', from),
    to: timeOf('to', to),
    limit: pageSize,
    cursor,
  });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const at = String(issue?.path[0] ?? '');
  throw new TypeError(`${NAMES[at] ?? at}: ${issue?.message}`);
}

/** Options that have another name in the query. */
const NAMES: Readonly<Record<string, string>> = { limit: 'pageSize', label: 'labels' };

function timeOf(name: string, value: Date | string | undefined): string | undefined {
  if (!(value instanceof Date)) return value;
  if (Number.isNaN(value.getTime())) throw new TypeError(`${name} is an invalid date`);
  return value.toISOString();
}

/** One page. */
export async function callList(transport: Transport, query: ListQuery, signal: AbortSignal | undefined): Promise<ListResponse> {
  const { label = [], ...rest } = query;
  const pairs = [...Object.entries(rest), ...label.map((text) => ['label', text] as const)].filter(([, value]) => value !== undefined);
  const text = pairs.map(([key, value]) => `${key}=${encodeURIComponent(String(value))}`).join('&');
  const path = ROUTES.list.path + (text && `?${text}`);
  return (await transport.call({ method: 'GET', path, schema: listResponseSchema, signal })).data;
}

/** All tasks of all pages; a page is fetched when the one before has been read to its end. */
export async function* listAll(transport: Transport, query: ListQuery, signal: AbortSignal | undefined) {
  let cursor: string | undefined;
  do {
    const page = await callList(transport, cursor === undefined ? query : { ...query, cursor }, signal);
    yield* page.tasks;
    if (page.cursor !== undefined && page.cursor === cursor) {
      throw new SchemaMismatchError(
        'a page of the list has the cursor that it was asked for with; it would never end',
        JSON.stringify(page),
      );
    }
    cursor = page.cursor;
  } while (cursor !== undefined);
}
