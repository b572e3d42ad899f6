import { SluiceError, type DeadQuery } from '@sluice/contracts';
import type { Hasher } from '../ports/hasher.ts';

/**
 * Where a page ended, as text, as that of the list of tasks: version, the key of a failure, and a digest that ties both
 * to the tenant and the filters. 54 characters, so that no bit of the base64 is without meaning.
 */
const VERSION = '1';
const DIGEST_LENGTH = 17;
const CURSOR = /^[A-Za-z0-9_-]{72}$/;
const CONTENT = /^1([0-9A-HJKMNP-TV-Z]{36})([A-Za-z0-9_-]{17})$/;
const NO_UID = '0'.repeat(26);
const KEY_LENGTH = 36;

/** The part of a query that a cursor belongs to; the size of pages may change on the way. */
export type DeadFilters = Omit<DeadQuery, 'limit' | 'cursor'>;

/** A cursor whose next page begins below the key, or the time, `position`. */
export function deadCursorAt(hasher: Hasher, tenant: string, filters: DeadFilters, position: string): string {
  const key = position.length === KEY_LENGTH ? position : position + NO_UID;
  return btoa(VERSION + key + digestOf(hasher, tenant, filters, key))
    .replaceAll('+', '-')
    .replaceAll('/', '_');
}

/**
 * The position of a cursor. It holds no authority: whatever it says, the tenant is that of the credentials.
 * @throws SluiceError `bad_cursor` for one that was changed, or made for another tenant or other filters
 */
export function deadPositionOf(hasher: Hasher, tenant: string, filters: DeadFilters, cursor: string): string {
  const text = CURSOR.test(cursor) ? atob(cursor.replaceAll('-', '+').replaceAll('_', '/')) : '';
  const [, position, digest] = CONTENT.exec(text) ?? [];
  if (position !== undefined && digest === digestOf(hasher, tenant, filters, position)) return position;
  throw new SluiceError(
    'bad_cursor',
    'the cursor is not one of this list; send it as it was given, with the same credentials and the same filters (limit may differ), or begin anew without it',
  );
}

function digestOf(hasher: Hasher, tenant: string, { type, error, reason, label, from, to }: DeadFilters, position: string): string {
  const labels = [...new Set(label)].sort();
  const bound = [VERSION, tenant, type ?? null, error ?? null, reason ?? null, labels, from ?? null, to ?? null, position];
  return hasher.sha256(`dead ${JSON.stringify(bound)}`).slice(0, DIGEST_LENGTH);
}
