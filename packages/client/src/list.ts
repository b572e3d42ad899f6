import { listQuerySchema, listResponseSchema, ROUTES } from '@sluice/contracts';
import type { ListQuery, ListResponse } from '@sluice/contracts';
import { everyItem, labelsOf, pathWith, timeOf } from './paging.ts';
import type { Transport } from './transport.ts';
import type { PageFilter } from './types.ts';

/** @throws TypeError naming what is wrong with the filter */
export function checkedQuery(filter: Omit<PageFilter, 'type'> & { readonly type?: string | undefined }): ListQuery {
  const { type, state, labels = {}, from, to, pageSize, cursor } = filter;
  const label = labelsOf(labels);
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

/** One page. */
export async function callList(transport: Transport, query: ListQuery, signal: AbortSignal | undefined): Promise<ListResponse> {
  const path = pathWith(ROUTES.list.path, query);
  return (await transport.call({ method: 'GET', path, schema: listResponseSchema, signal })).data;
}

/** All tasks of all pages. */
export function listAll(transport: Transport, query: ListQuery, signal: AbortSignal | undefined) {
  return everyItem(
    (cursor) => callList(transport, cursor === undefined ? query : { ...query, cursor }, signal),
    ({ tasks }) => tasks,
  );
}
