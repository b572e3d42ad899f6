import { SluiceError } from '@sluice/contracts';
import type { Hasher } from '../ports/hasher.ts';

const VERSION = '1';

/** What tells the cursors of a list from those of another. */
export interface CursorKind<Filters> {
  readonly name: string;
  /** The pattern of a position: a uid, a key that ends in one, a name. */
  readonly positions: string;
  /** Characters of the digest. */
  readonly digestLength: number;
  /** What a cursor belongs to beside its tenant. The size of pages is not among it, it may change on the way. */
  readonly bound: (filters: Filters) => readonly unknown[];
}

export interface Cursors<Filters> {
  /** A cursor whose next page begins below `position`. */
  readonly at: (hasher: Hasher, tenant: string, filters: Filters, position: string) => string;
  /**
   * The position of a cursor. It holds no authority: whatever it says, the tenant is that of the credentials, and a
   * position outside of the range that is asked for is no harm. The digest finds mistakes, not forgers.
   *
   * @throws SluiceError `bad_cursor` for one that was changed, or made for another tenant or other filters
   */
  readonly positionOf: (hasher: Hasher, tenant: string, filters: Filters, cursor: string) => string;
}

/** Where a page ended, as text: version, position, and a digest that ties both to the tenant and the filters. */
export function createCursors<Filters>({ name, positions, digestLength, bound }: CursorKind<Filters>): Cursors<Filters> {
  const content = new RegExp(`^${VERSION}(${positions})([A-Za-z0-9_-]{${digestLength}})$`);
  const digestOf = (hasher: Hasher, tenant: string, filters: Filters, position: string): string =>
    hasher.sha256(`${name} ${JSON.stringify([VERSION, tenant, ...bound(filters), position])}`).slice(0, digestLength);

  return {
    at: (hasher, tenant, filters, position) => encoded(VERSION + position + digestOf(hasher, tenant, filters, position)),

    positionOf: (hasher, tenant, filters, cursor) => {
      const [, position, digest] = content.exec(decoded(cursor) ?? '') ?? [];
      if (position !== undefined && digest === digestOf(hasher, tenant, filters, position)) return position;
      throw new SluiceError(
        'bad_cursor',
        'the cursor is not one of this list; send it as it was given, with the same credentials and the same filters (limit may differ), or begin anew without it',
      );
    },
  };
}

/** Base64url of plain characters. */
function encoded(text: string): string {
  return btoa(text).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** @returns nothing for what {@link encoded} makes of no text: no two cursors mean the same */
function decoded(cursor: string): string | undefined {
  if (!/^[A-Za-z0-9_-]+$/.test(cursor) || cursor.length % 4 === 1) return undefined;
  const text = atob(cursor.replaceAll('-', '+').replaceAll('_', '/'));
  return encoded(text) === cursor ? text : undefined;
}

/** Labels of a filter, in one order. */
export function boundLabels(label: readonly string[] | undefined): readonly string[] {
  return [...new Set(label)].sort();
}
