import type { TaskHint } from '@sluice/contracts';
import type { BucketStore } from '../../core/ports/bucket-store.ts';

export interface MemoryBucketStoreConfig {
  /** Parts of a minute. @default 4 */
  readonly shards?: number;
  /** Items in one page. @default 100 */
  readonly pageSize?: number;
}

/** Buckets in maps, one for each minute and shard. */
export function createMemoryBucketStore(config: MemoryBucketStoreConfig = {}): BucketStore {
  const pageSize = config.pageSize ?? 100;
  const buckets = new Map<string, Map<string, TaskHint>>();
  const cursors = new Map<number, number>();

  return {
    shards: config.shards ?? 4,
    put: async (minute, shard, name, hint) => {
      const key = `${minute}#${shard}`;
      const bucket = buckets.get(key) ?? new Map<string, TaskHint>();
      buckets.set(key, bucket.set(name, structuredClone(hint)));
    },
    read: async function* (minute, shard) {
      const bucket = [...(buckets.get(`${minute}#${shard}`) ?? [])].sort(([a], [b]) => (a < b ? -1 : 1));
      for (let from = 0; from < bucket.length; from += pageSize) {
        yield bucket.slice(from, from + pageSize).map(([, hint]) => structuredClone(hint));
      }
    },
    cursor: async (shard) => cursors.get(shard),
    advance: async (shard, from, to) => {
      if (cursors.get(shard) !== from) return false;
      cursors.set(shard, to);
      return true;
    },
  };
}
