import { placeHints, type PlaceDeps } from '../hints/place.ts';
import { MINUTE_MS, minuteOf } from '../hints/timing.ts';

/** Where the cursor begins when there is none: hints are in buckets from 15 minutes ahead, so this is ample. */
const FIRST_MINUTES = 120;
/** Hints that are made in one go. */
const AT_ONCE = 500;

export interface Moved {
  /** How many tasks. */
  readonly moved: number;
  /** ms since the earliest hint that was left to be moved may have been due; 0 in time. */
  readonly lateMs: number;
}

/**
 * Moves what is due in the next minute to its queues, with the delay that makes the second exact, and makes up for
 * every minute since the last one that was moved. Repeating a minute is harmless: its hints name the same seq.
 * @throws when a hint could not be made; the cursor then stays before its minute.
 */
export async function moveBuckets(deps: PlaceDeps, now: number, deadline: number): Promise<Moved> {
  const shards = await Promise.all(Array.from({ length: deps.buckets.shards }, (_, shard) => moveShard(deps, shard, now, deadline)));
  return {
    moved: shards.reduce((sum, { moved }) => sum + moved, 0),
    lateMs: Math.max(...shards.map(({ lateMs }) => lateMs)),
  };
}

async function moveShard(deps: PlaceDeps, shard: number, now: number, deadline: number): Promise<Moved> {
  const target = minuteOf(now) + 1;
  let cursor = await deps.buckets.cursor(shard);
  const lateMs = cursor === undefined ? 0 : Math.max(0, now - (cursor + 1) * MINUTE_MS);
  let moved = 0;
  for (let minute = (cursor ?? target - FIRST_MINUTES) + 1; minute <= target && deps.clock.now() < deadline; minute++) {
    moved += await moveMinute(deps, minute, shard);
    // Another tick got here first: it goes on.
    if (!(await deps.buckets.advance(shard, cursor, minute))) break;
    cursor = minute;
  }
  return { moved, lateMs };
}

async function moveMinute(deps: PlaceDeps, minute: number, shard: number): Promise<number> {
  let moved = 0;
  for await (const hints of deps.buckets.read(minute, shard)) {
    const entries = hints.flatMap(({ tenant, tasks }) => tasks.map((task) => ({ tenant, task })));
    for (let i = 0; i < entries.length; i += AT_ONCE) {
      const part = entries.slice(i, i + AT_ONCE);
      const durable = await placeHints(deps, part);
      if (durable.includes(false)) throw new Error(`hints of minute ${minute}, shard ${shard} could not be made`);
      moved += part.length;
    }
  }
  return moved;
}
