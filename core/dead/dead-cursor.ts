import type { DeadQuery } from '@sluice/contracts';
import { boundLabels, createCursors } from '../api/cursor.ts';
import type { Hasher } from '../ports/hasher.ts';

/** The part of a query that a cursor belongs to. */
export type DeadFilters = Omit<DeadQuery, 'limit' | 'cursor'>;

const KEY_LENGTH = 36;
const NO_UID = '0'.repeat(26);

/** Cursors of the list of dead tasks: a position is the key of a failure, time and uid. */
const CURSORS = createCursors<DeadFilters>({
  name: 'dead',
  positions: `[0-9A-HJKMNP-TV-Z]{${KEY_LENGTH}}`,
  digestLength: 17,
  bound: ({ type, error, reason, label, from, to }) => [
    type ?? null,
    error ?? null,
    reason ?? null,
    boundLabels(label),
    from ?? null,
    to ?? null,
  ],
});

/** A cursor whose next page begins below the key, or the time, `position`. */
export function deadCursorAt(hasher: Hasher, tenant: string, filters: DeadFilters, position: string): string {
  return CURSORS.at(hasher, tenant, filters, position.length === KEY_LENGTH ? position : position + NO_UID);
}

export const deadPositionOf = CURSORS.positionOf;
