import { createHash } from 'node:crypto';
import type { HintMessage, TaskRow } from '@sluice/contracts';
import { HINT_TIMES } from '../../core/hints/timing.ts';
import { BUDGET_WINDOW_MS } from '../../core/retry/budget.ts';
import { textOf } from './continuation.ts';
import type { World } from './world.ts';

/**
 * Two states with the same key have the same future: the tables, queues and runs are equal, and each invocation stands at
 * the same place of its code. Left out of it are the fields that no decision reads. Where no invocation is in flight, times
 * count from now, and names made of chance and the numbers of messages are no more than equal or not. 128 bits of MD5:
 * with a million states the chance of two that are taken for one is below 1e-26.
 */
export function keyOf(world: World): string {
  const text = world.invocations.length === 0 ? restingText(world) : movingText(world);
  return createHash('md5').update(text).digest('base64');
}

function movingText(world: World): string {
  const invocations = world.invocations.map(({ at, ...rest }) => `${at.number} ${JSON.stringify(rest)}`);
  return [
    world.now,
    textsOf(world.rows.map(decisive)),
    textsOf(world.queue),
    textsOf(world.backlog),
    textsOf(world.notes),
    lanesOf(world).map(([lane, cell]) => lane + textOf(cell)),
    textsOf(world.buckets),
    textsOf(world.records),
    world.runs.map(textOf).sort().join(),
    invocations.sort().join(),
    breakerOf(world),
    retriedOf(world),
    booksOf(world),
  ].join('|');
}

function booksOf({ cursor, ticked, called, accepted, ends, told, failures, faults, throttles, broken }: World): string {
  return JSON.stringify([cursor, ticked, called, accepted, ends, told, failures, faults, throttles, broken]);
}

function breakerOf({ breaker, crashes }: World): string {
  return breaker ? `${textOf(breaker)}${crashes}` : '';
}

/** What a later check still looks at. */
function retriedOf({ retried, now }: World): string {
  return retried.filter((at) => at > now - BUDGET_WINDOW_MS).join();
}

function textsOf(values: readonly object[]): string {
  return values.map(textOf).join();
}

function lanesOf({ cells }: World) {
  return Object.entries(cells).sort(([a], [b]) => (a < b ? -1 : 1));
}

const decided = new WeakMap<TaskRow, object>();

/** A row without what no decision of the hint protocol reads. */
function decisive(row: TaskRow): object {
  const known = decided.get(row);
  if (known) return known;
  const { id, uid, seq, fence, type, state, at, expiresAt, attempts, lost, throttled, run, cancelAt, retryOf, reason, endedBy } = row;
  const { again, crashes } = row;
  const own = run && { hint: run.hint, mode: run.mode, leaseEnd: run.leaseEnd, nonce: run.nonce };
  const rest = { asked: cancelAt !== undefined, retryOf, reason, endedBy, again, crashes };
  const kept = { id, uid, seq, fence, type, state, at, expiresAt, attempts, lost, throttled, run: own, ...rest };
  decided.set(row, kept);
  return kept;
}

/** Instants of T0 and after, as JSON has them. */
const INSTANT = /\b1[67]\d{11}\b/g;
const NAME = /~\d+\.\d+/g;

function restingText(world: World): string {
  const { now } = world;
  const relative = (text: string) => text.replace(INSTANT, (instant) => String(Number(instant) - now));
  const queue = world.queue.map(({ hint, visibleAt, receives }) => relative(JSON.stringify([ageless(hint, now), visibleAt, receives])));
  const records = world.records.map(({ body, visibleAt, receives }) => relative(JSON.stringify([body, visibleAt, receives])));
  const text = [
    // Minutes are those of the clock.
    world.backlog.length + world.buckets.length > 0 ? now % 60_000 : '',
    world.buckets.length > 0 ? Math.floor(now / 60_000) : '',
    relative(textsOf(world.rows.map(decisive))),
    queue.sort().join(),
    relative(textsOf(world.backlog)),
    relative(textsOf(world.notes)),
    lanesOf(world).map(([lane, cell]) => lane + relative(textOf(cell))),
    relative(textsOf(world.buckets)),
    records.sort().join(),
    world.runs
      .map((run) => relative(textOf(run)))
      .sort()
      .join(),
    relative(retriedOf(world)),
    // Lanes behind it are told each fifth minute.
    relative(breakerOf(world)) + (world.breaker ? now % 300_000 : ''),
    booksOf(world.buckets.length > 0 ? world : { ...world, cursor: 0, ticked: world.ticked - Math.floor(now / 60_000) }),
  ].join('|');
  const names = new Map<string, number>();
  return text.replace(NAME, (name) => {
    const known = names.get(name) ?? names.size;
    names.set(name, known);
    return `~${known}`;
  });
}

/** A hint's age counts up to the time at which it is dropped for want of a row. */
function ageless(hint: HintMessage, now: number): object {
  if (hint.kind === 'lane') return { ...hint, made: 0 };
  const oldest = now - HINT_TIMES.orphanMs - 1;
  return { ...hint, tasks: hint.tasks.map((task) => ({ ...task, made: Math.max(task.made, oldest) })) };
}
