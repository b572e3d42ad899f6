import { placeHints, type PlaceDeps, type TenantTask } from '../hints/place.ts';
import { MINUTE_MS, minuteOf } from '../hints/timing.ts';
import type { Timer } from '../ports/timer.ts';

/** Where the cursor begins when there is none: hints are in buckets from 15 minutes ahead, so this is ample. */
const FIRST_MINUTES = 120;
/** Hints that are made in one go: 200 messages, 20 calls. */
const AT_ONCE = 2_000;
/** Minutes that are moved side by side at most, when there are many to make up for. */
const MINUTES_AT_ONCE = 64;

/** A second is divided into so many parts, and hints are sent in the one after that in which they are due. */
const PARTS_OF_SECOND = 4;
const PART_MS = 1000 / PARTS_OF_SECOND;

export interface MoveDeps extends PlaceDeps {
  readonly timer: Timer;
}

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
export async function moveBuckets(deps: MoveDeps, now: number, deadline: number): Promise<Moved> {
  const ends = await Promise.allSettled(Array.from({ length: deps.buckets.shards }, (_, shard) => moveShard(deps, shard, now, deadline)));
  // One that fails holds up no other.
  const shards = ends.map((end) => {
    if (end.status === 'rejected') throw end.reason;
    return end.value;
  });
  return {
    moved: shards.reduce((sum, { moved }) => sum + moved, 0),
    lateMs: Math.max(...shards.map(({ lateMs }) => lateMs)),
  };
}

/**
 * Minute by minute in time. After an outage several at once, twice as many each time, as long as there is little in them:
 * minutes that are full go one by one, so that the cursor moves on however short the time is.
 */
async function moveShard(deps: MoveDeps, shard: number, now: number, deadline: number): Promise<Moved> {
  const target = minuteOf(now) + 1;
  let cursor = await deps.buckets.cursor(shard);
  const lateMs = cursor === undefined ? 0 : Math.max(0, now - (cursor + 1) * MINUTE_MS);
  let moved = 0;
  let atOnce = 1;
  for (let done = cursor ?? target - FIRST_MINUTES; done < target && deps.clock.now() < deadline;) {
    const part = await moveMinutes(deps, done + 1, Math.min(atOnce, target - done), shard);
    moved += part.moved;
    const last = done + part.minutes;
    // Another tick got here first: it goes on.
    if (part.minutes > 0 && !(await deps.buckets.advance(shard, cursor, last))) break;
    if (part.failure !== undefined) throw part.failure;
    cursor = done = last;
    atOnce = part.moved > AT_ONCE ? 1 : Math.min(2 * atOnce, MINUTES_AT_ONCE);
  }
  return { moved, lateMs };
}

interface MovedMinutes {
  readonly moved: number;
  /** How many were moved before the first that failed. */
  readonly minutes: number;
  readonly failure?: Error;
}

async function moveMinutes(deps: MoveDeps, first: number, count: number, shard: number): Promise<MovedMinutes> {
  const minutes = await Promise.allSettled(Array.from({ length: count }, (_, n) => moveMinute(deps, first + n, shard)));
  const moved = minutes.reduce((sum, minute) => sum + (minute.status === 'fulfilled' ? minute.value : 0), 0);
  const failed = minutes.findIndex(({ status }) => status === 'rejected');
  const failure = minutes[failed];
  if (failure?.status !== 'rejected') return { moved, minutes: count };
  return { moved, minutes: failed, failure: failure.reason as Error };
}

async function moveMinute(deps: MoveDeps, minute: number, shard: number): Promise<number> {
  let moved = 0;
  for await (const hints of deps.buckets.read(minute, shard)) {
    const entries = hints.flatMap(({ tenant, tasks }) => tasks.map((task) => ({ tenant, task })));
    for (let i = 0; i < entries.length; i += AT_ONCE) {
      const part = entries.slice(i, i + AT_ONCE);
      // The rest of a full minute has no time to lose.
      const durable = moved === 0 ? await placeInTheirParts(deps, part) : await placeHints(deps, part);
      if (durable.includes(false)) throw new Error(`hints of minute ${minute}, shard ${shard} could not be made`);
      moved += part.length;
    }
  }
  return moved;
}

/**
 * A queue counts whole seconds from the send: a hint sent at .9 comes at .9, however early in its second it is due. So
 * those that are due in the same part of any second are sent together, at that part's end: at most a second from now.
 */
async function placeInTheirParts(deps: MoveDeps, entries: readonly TenantTask[]): Promise<readonly boolean[]> {
  const now = deps.clock.now();
  const parts = new Map<number, TenantTask[]>();
  for (const entry of entries) {
    const { at } = entry.task;
    const end = Math.ceil((at % 1000) / PART_MS) * PART_MS;
    const wait = at <= now ? 0 : (end - (now % 1000) + 1000) % 1000;
    const part = parts.get(wait);
    if (part) part.push(entry);
    else parts.set(wait, [entry]);
  }
  const placed = [...parts].map(async ([wait, part]) => {
    if (wait > 0) await deps.timer.sleep(wait);
    return placeHints(deps, part);
  });
  return (await Promise.all(placed)).flat();
}
