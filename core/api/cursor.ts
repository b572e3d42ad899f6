import { SluiceError } from '@sluice/contracts';
import type { Hasher } from '../ports/hasher.ts';

const VERSION = '1';

/** What tells the cursors of a list from those of another. */
export interface CursorKind<Filters> {
  readonly name: string;
  /** Characters of a position: of a uid, or of a key that ends in one. */
  readonly positionLength: number;
  /** Characters of the digest; with version and position a multiple of three, so that no bit of the base64 is without meaning. */
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
export function createCursors<Filters>({ name, positionLength, digestLength, bound }: CursorKind<Filters>): Cursors<Filters> {
  const length = ((VERSION.length + positionLength + digestLength) * 4) / 3;
  const whole = new RegExp(`^[A-Za-z0-9_-]{${length}}$`);
  const content = new RegExp(`^${VERSION}([0-9A-HJKMNP-TV-Z]{${positionLength}})([A-Za-z0-9_-]{${digestLength}})$`);
  const digestOf = (hasher: Hasher, tenant: string, filters: Filters, position: string): string =>
    hasher.sha256(`${name} ${JSON.stringify([VERSION, tenant, ...bound(filters), position])}`).slice(0, digestLength);

  return {
    at: (hasher, tenant, filters, position) =>
      btoa(VERSION + position + digestOf(hasher, tenant, filters, position))
        .replaceAll('+', '-')
        .replaceAll('/', '_'),

    positionOf: (hasher, tenant, filters, cursor) => {
      const text = whole.test(cursor) ? atob(cursor.replaceAll('-', '+').replaceAll('_', '/')) : '';
      const [, position, digest] = content.exec(text) ?? [];
      if (position !== undefined && digest === digestOf(hasher, tenant, filters, position)) return position;
      throw new SluiceError(
        'bad_cursor',
        'the cursor is not one of this list; send it as it was given, with the same credentials and the same filters (limit may differ), or begin anew without it',
      );
    },
  };
}

/** Labels of a filter, in one order. */
export function boundLabels(label: readonly string[] | undefined): readonly string[] {
  return [...new Set(label)].sort();
}
