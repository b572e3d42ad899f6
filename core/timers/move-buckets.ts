import { placeHints, type PlaceDeps } from '../hints/place.ts';
import { minuteOf } from '../hints/timing.ts';

/** Where the cursor begins when there is none: hints are in buckets from 15 minutes ahead, so this is ample. */
const FIRST_MINUTES = 120;
/** Hints that are made in one go. */
const AT_ONCE = 500;

/**
 * Moves what is due in the next minute to its queues, with the delay that makes the second exact, and makes up for
 * every minute since the last one that was moved. Repeating a minute is harmless: its hints name the same seq.
 * @returns how many tasks were moved. @throws when a hint could not be made; the cursor then stays before its minute.
 */
export async function moveBuckets(deps: PlaceDeps, now: number, deadline: number): Promise<number> {
  const moved = await Promise.all(Array.from({ length: deps.buckets.shards }, (_, shard) => moveShard(deps, shard, now, deadline)));
  return moved.reduce((sum, n) => sum + n, 0);
}

async function moveShard(deps: PlaceDeps, shard: number, now: number, deadline: number): Promise<number> {
  const target = minuteOf(now) + 1;
  let cursor = await deps.buckets.cursor(shard);
  let moved = 0;
  for (let minute = (cursor ?? target - FIRST_MINUTES) + 1; minute <= target && deps.clock.now() < deadline; minute++) {
    moved += await moveMinute(deps, minute, shard);
    // Another tick got here first: it goes on.
    if (!(await deps.buckets.advance(shard, cursor, minute))) return moved;
    cursor = minute;
  }
  return moved;
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
