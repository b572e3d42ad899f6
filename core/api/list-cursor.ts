import type { ListQuery } from '@sluice/contracts';
import { boundLabels, createCursors } from './cursor.ts';

/** The part of a query that a cursor belongs to. */
export type ListFilters = Omit<ListQuery, 'limit' | 'cursor'>;

/** Cursors of the list of tasks: a position is a uid. */
export const LIST_CURSORS = createCursors<ListFilters>({
  name: 'list',
  positions: '[0-9A-HJKMNP-TV-Z]{26}',
  digestLength: 15,
  bound: ({ type, state, label, from, to }) => [type ?? null, state ?? null, boundLabels(label), from ?? null, to ?? null],
});
