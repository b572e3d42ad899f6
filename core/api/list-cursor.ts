import { SluiceError, type ListQuery } from '@sluice/contracts';
import type { Hasher } from '../ports/hasher.ts';

/**
 * Where a page ended, as text: version, the uid below which the next page begins, and a digest that ties both to the
 * tenant and the filters. 42 characters, so that no bit of the base64 is without meaning.
 */
const VERSION = '1';
const DIGEST_LENGTH = 15;
const CURSOR = /^[A-Za-z0-9_-]{56}$/;
const CONTENT = /^1([0-9A-HJKMNP-TV-Z]{26})([A-Za-z0-9_-]{15})$/;

/** The part of a query that a cursor belongs to; the size of pages may change on the way. */
export type ListFilters = Omit<ListQuery, 'limit' | 'cursor'>;

/** A cursor whose next page begins below the uid `position`. */
export function cursorAt(hasher: Hasher, tenant: string, filters: ListFilters, position: string): string {
  const text = VERSION + position + digestOf(hasher, tenant, filters, position);
  return btoa(text).replaceAll('+', '-').replaceAll('/', '_');
}

/**
 * The position of a cursor. It holds no authority: whatever it says, the tenant is that of the credentials, and a
 * position outside of the range that is asked for is no harm. The digest finds mistakes, not forgers.
 *
 * @throws SluiceError `bad_cursor` for one that was changed, or made for another tenant or other filters
 */
export function positionOf(hasher: Hasher, tenant: string, filters: ListFilters, cursor: string): string {
  const text = CURSOR.test(cursor) ? atob(cursor.replaceAll('-', '+').replaceAll('_', '/')) : '';
  const [, position, digest] = CONTENT.exec(text) ?? [];
  if (position !== undefined && digest === digestOf(hasher, tenant, filters, position)) return position;
  throw new SluiceError(
    'bad_cursor',
    'the cursor is not one of this list; send it as it was given, with the same credentials and the same filters (limit may differ), or begin anew without it',
  );
}

function digestOf(hasher: Hasher, tenant: string, { type, state, label, from, to }: ListFilters, position: string): string {
  const labels = [...new Set(label)].sort();
  const bound = [VERSION, tenant, type ?? null, state ?? null, labels, from ?? null, to ?? null, position];
  return hasher.sha256(`list ${JSON.stringify(bound)}`).slice(0, DIGEST_LENGTH);
}
