import { TIMEOUTS, type Answer, type Continuation, type Continuations, type Input } from './continuation.ts';
import { free, type Invocation, type World } from './world.ts';

/** What an invocation is started with, but for its number. */
export type Start = Input extends infer I ? (I extends Input ? Omit<I, 'salt'> : never) : never;

/** Starts an invocation, up to its first call. */
export function begin(
  code: Continuations,
  world: World,
  start: Start,
  more: { readonly slot: number; readonly endless: boolean; readonly messages?: readonly number[]; readonly client?: number },
): World | Promise<World> {
  // By what it works on, so that it has the same number whoever else begins first.
  const id = more.slot * 100 + free((n) => isUsed(world, more.slot * 100 + n));
  const place = (at: Continuation): World => {
    const invocation: Invocation = {
      id,
      at,
      slow: false,
      began: world.now,
      deadline: more.endless ? Infinity : world.now + TIMEOUTS[start.kind],
      messages: more.messages ?? [],
      ...(more.client !== undefined && { client: more.client }),
    };
    return arrived({ ...world, invocations: [...world.invocations, invocation] }, invocation);
  };
  const at = code.start({ ...start, salt: id }, world.now);
  return at instanceof Promise ? at.then(place) : place(at);
}

/** A number is free when nothing that somebody made of chance with it is left: a permit, a claim, or the memory of one. */
function isUsed(world: World, n: number): boolean {
  const own = `~${n}.`;
  return (
    world.invocations.some((i) => i.id === n || i.at.salts.has(n)) ||
    world.rows.some((row) => row.run?.nonce.startsWith(own)) ||
    Object.values(world.cells).some((cell) => cell.permits.some((p) => p.nonce.startsWith(own))) ||
    world.runs.some((run) => run.sluice.control?.key.startsWith(own)) ||
    world.buckets.some((bucket) => bucket.name.startsWith(own)) ||
    world.records.some(({ body }) => body.includes(own))
  );
}

/** Answers a call of an invocation, which goes on to its next ones. */
export function progress(code: Continuations, world: World, id: number, call: number, answer: Answer): World | Promise<World> {
  const invocation = world.invocations.find((i) => i.id === id);
  if (!invocation) throw new Error(`there is no invocation ${id}`);
  const { held: _, ...rest } = invocation;
  const place = (at: Continuation): World => {
    const after: Invocation = { ...rest, at, slow: false };
    return arrived({ ...world, invocations: world.invocations.map((i) => (i === invocation ? after : i)) }, after);
  };
  if (call === END) return crashed(world, id);
  const at = code.next(invocation.at, call, answer, world.now);
  return at instanceof Promise ? at.then(place) : place(at);
}

/** The number of the call by which an event source deletes what a function is done with. */
const END = -1;

/** An invocation that has returned is over, once its event source has deleted its messages. */
function arrived(world: World, invocation: Invocation): World {
  const { at, id, client } = invocation;
  if (!at.returned) return world;
  const { value } = at.returned;
  const over: World = { ...world, invocations: world.invocations.filter((i) => i !== invocation) };
  if (client !== undefined && Array.isArray(value))
    return { ...over, accepted: [...new Set([...world.accepted, ...(value as string[])])].sort() };
  if (at.input.kind !== 'dispatch' && at.input.kind !== 'settle') return over;
  // A function that throws keeps all of its messages.
  const kept = Array.isArray(value) ? (value as string[]) : at.input.received.map(({ messageId }) => messageId);
  const gone = at.input.received.flatMap(({ messageId, receipt }) => (kept.includes(messageId) ? [] : [receipt]));
  if (gone.length === 0) return over;
  const remove = { at: at.input.kind === 'dispatch' ? 'queue.remove' : 'records.remove', args: [gone] };
  const ending: Invocation = {
    ...invocation,
    at: { ...at, returned: undefined, number: -at.number - 1, pending: new Map([[END, remove]]) },
  };
  return { ...over, invocations: [...over.invocations, ending].sort((a, b) => a.id - b.id || id - b.id) };
}

export function crashed(world: World, id: number): World {
  return { ...world, invocations: world.invocations.filter((i) => i.id !== id) };
}

/** Lets time pass to the next moment at which something changes; nothing when there is none, or a run must end before it. */
export function passTime(world: World): World | undefined {
  const { now } = world;
  const later = instants(world).filter((at) => at > now);
  if (later.length === 0) return undefined;
  const next = Math.min(...later);
  if (world.runs.some((run) => run.until < next)) return undefined;
  return { ...world, now: next, invocations: world.invocations.filter((i) => i.deadline > next) };
}

/** The longest time for which dispatch gives back a hint that waits for its row. */
const MOST_PATIENCE_MS = 30_000;

function instants(world: World): number[] {
  const { queue, records, invocations, now, backlog, buckets, cursor } = world;
  const slow = invocations.some((i) => i.slow);
  // While somebody takes long, a hint that was given back is looked at when that comes to something, not every two seconds.
  const due = slow ? queue.filter((m) => m.receives === 0 || m.visibleAt - now > MOST_PATIENCE_MS) : queue;
  const at = [...due.map((m) => m.visibleAt), ...records.map((m) => m.visibleAt)];
  // The end of a permit matters to whoever wants one, or has been slow to use it.
  if (slow || backlog.length > 0) for (const { permits } of Object.values(world.cells)) for (const { expiry } of permits) at.push(expiry);
  for (const { at: place, deadline, began } of invocations) {
    // After 30 s the row of a submission comes late, after 60 s its hint may be gone.
    if (place.input.kind === 'submit' || place.input.kind === 'retry') at.push(began + 30_001, began + 60_001);
    if (deadline !== Infinity) at.push(deadline);
  }
  // The minute before a bucket is due it is moved; a lane with a backlog is told each minute.
  const minutes = [...buckets.map(({ minute }) => minute), ...armedMinutes(world)];
  for (const minute of minutes) if (minute > (cursor ?? 0)) at.push(Math.max((minute - 1) * 60_000, nextMinute(now)));
  if (backlog.length > 0) at.push(nextMinute(now));
  return at;
}

/** Minutes that somebody is about to put a hint into. */
export function armedMinutes({ invocations }: World): number[] {
  return invocations.flatMap((i) =>
    [...i.at.pending.values()].flatMap(({ at, args }) => (at === 'buckets.put' ? [args[0] as number] : [])),
  );
}

function nextMinute(now: number): number {
  return (Math.floor(now / 60_000) + 1) * 60_000;
}
