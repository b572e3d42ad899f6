import { SluiceError } from '@sluice/contracts';
import type { Clock } from '../../core/ports/clock.ts';
import type { OutsideValue, LastingValueStore } from '../../core/ports/value-store.ts';

export interface MemoryValueStore extends LastingValueStore {
  /** What a GET of a URL would answer. */
  readonly fetch: (url: string) => string;
}

export interface MemoryValueStoreConfig {
  /** By this clock values are gone as soon as they may be. @default they stay */
  readonly clock?: Clock;
}

/** Values in a map. A URL is a name that {@link MemoryValueStore.fetch} understands. */
export function createMemoryValueStore(config: MemoryValueStoreConfig = {}): MemoryValueStore {
  const values = new Map<string, { readonly json: string; readonly until: number }>();

  const placeOf = (home: OutsideValue['in'], key: string): string => `${home}://${key}`;
  const living = (place: string) => {
    const value = values.get(place);
    return value && config.clock && config.clock.now() > value.until ? undefined : value;
  };
  const read = (place: string, what: string): string => {
    const value = living(place);
    if (!value) throw gone(what);
    return value.json;
  };

  return {
    put: async (tenant, id, name, kind, json, home, until) => {
      const bytes = Buffer.byteLength(json);
      const key = keyOf(tenant, id, name, kind);
      values.set(placeOf(home, key), { json, until });
      return home === 'item' ? { in: 'item', bytes } : { in: 's3', key, bytes };
    },
    keep: async (tenant, id, name, kind, value, least, until) => {
      const place = placeOf(value.in, value.in === 'item' ? keyOf(tenant, id, name, kind) : value.key);
      const kept = living(place);
      if (kept && kept.until < least) values.set(place, { ...kept, until });
    },
    get: async (tenant, id, name, kind, value) => {
      const what = `${kind} of ${tenant}/${id}`;
      if (value.in === 'item') return read(placeOf('item', keyOf(tenant, id, name, kind)), what);
      if (!isOfTenant(tenant, value.key)) throw gone(what);
      return read(placeOf('s3', value.key), what);
    },
    url: async (tenant, { key }) => {
      if (!isOfTenant(tenant, key)) throw gone(key);
      return placeOf('s3', key);
    },
    fetch: (url) => read(url, url),
  };
}

function keyOf(tenant: string, id: string, name: string, kind: string): string {
  return `${tenant}/${encodeURIComponent(id)}/${name}/${kind}.json`;
}

/** A key read out of one tenant's row must never lead into another's objects. */
function isOfTenant(tenant: string, key: string): boolean {
  return key.startsWith(`${tenant}/`);
}

function gone(what: string): SluiceError {
  return new SluiceError('not_found', `${what} is gone`);
}
