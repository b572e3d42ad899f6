import type { LaneListQuery } from '@sluice/contracts';
import { createCursors } from '../api/cursor.ts';
import type { Hasher } from '../ports/hasher.ts';
import type { Lane } from '../ports/permit-store.ts';

/** The part of a query that a cursor belongs to. */
export type LaneFilters = Omit<LaneListQuery, 'limit' | 'cursor'>;

const NAMES = createCursors<LaneFilters>({
  name: 'lanes',
  positions: '[a-z0-9_-]+#[a-z0-9._-]+',
  digestLength: 15,
  bound: ({ tenant, type, waiting }) => [tenant ?? null, type ?? null, waiting ?? null],
});

/** Cursors of the list of lanes: a position is the name of one. */
export const LANE_CURSORS = {
  at: (hasher: Hasher, caller: string, filters: LaneFilters, { tenant, type }: Lane): string =>
    NAMES.at(hasher, caller, filters, `${tenant}#${type}`),
  positionOf: (hasher: Hasher, caller: string, filters: LaneFilters, cursor: string): Lane => {
    const [tenant = '', type = ''] = NAMES.positionOf(hasher, caller, filters, cursor).split('#');
    return { tenant, type };
  },
};
