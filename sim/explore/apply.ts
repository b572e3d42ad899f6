import { PRIORITIES, type Breaker, type HintedTask, type Priority, type TaskEvent, type TaskHint, type TaskRow } from '@sluice/contracts';
import { keyOf } from '../../adapters/memory/backlog-store.ts';
import { counted, isWithin } from '../../adapters/memory/permit-store.ts';
import { changed } from '../../adapters/memory/task-store.ts';
import { isTerminal } from '../../core/tasks/state.ts';
import type { BacklogLane } from '../../core/ports/backlog-store.ts';
import type { HintSend, ReceivedHint } from '../../core/ports/hint-queue.ts';
import type { Cell, Lane, Permit, Place, Starts } from '../../core/ports/permit-store.ts';
import type { RowChange, RowVersion, WriteResult } from '../../core/ports/task-store.ts';
import { withMessage, type BacklogItem, type World } from './world.ts';
import { laneKey } from '../../core/permits/lane-key.ts';

/** What a call makes of the world, and what it answers. */
export interface Applied {
  readonly world: World;
  readonly answer: unknown;
}

type Apply = (world: World, ...args: never[]) => Applied;

/**
 * Every call of a port that is a step, as a function of the world: what the memory adapters do, on a world that can be kept.
 * test/unit/sim/explore-apply.test.ts holds the two together.
 */
export const CALLS: Readonly<Record<string, Apply>> = {
  'tasks.get': (world, tenant: string, id: string) => ({ world, answer: rowOf(world, tenant, id) }),
  'tasks.insert': (world, row: TaskRow) => {
    const found = rowOf(world, row.tenant, row.id);
    return found ? { world, answer: lost(found) } : write(world, undefined, row);
  },
  'tasks.replace': (world, row: TaskRow, old: RowVersion) => {
    const found = rowOf(world, row.tenant, row.id);
    return is(found, old) ? write(world, found, row) : { world, answer: lost(found) };
  },
  'tasks.update': (world, tenant: string, id: string, version: RowVersion, change: RowChange) => {
    const found = rowOf(world, tenant, id);
    return is(found, version) ? write(world, found, changed(found, change)) : { world, answer: lost(found) };
  },
  'tasks.archive': (world) => ({ world, answer: undefined }),
  'tasks.putAttempt': (world) => ({ world, answer: undefined }),

  'queue.send': (world, sends: readonly HintSend[]) => ({
    world: sends.reduce((w, { message, delaySeconds }) => withMessage(w, message, w.now + delaySeconds * 1000), world),
    answer: sends.map(() => true),
  }),
  'queue.giveBack': (world, { receipt }: ReceivedHint, seconds: number) => ({
    world: changeMessage(world, receipt, world.now + seconds * 1000),
    answer: undefined,
  }),
  'queue.remove': (world, receipts: readonly string[]) => ({
    world: { ...world, queue: world.queue.filter((m) => !receipts.includes(receiptOf(m))) },
    answer: undefined,
  }),
  'records.remove': (world, receipts: readonly string[]) => ({
    world: { ...world, records: world.records.filter((m) => !receipts.includes(receiptOf(m))) },
    answer: undefined,
  }),

  // All tasks of these worlds are of one class, so that none makes room for another.
  'permits.acquire': (world, lane: Lane, _cell: number, permits: readonly Permit[], limit: number, starts?: Starts) => {
    const cell = cellOf(world, lane);
    const missing = permits.filter((p) => !cell.permits.some((held) => same(held, p)));
    if (missing.length === 0) return { world, answer: { granted: true, cell } };
    const granted = cell.permits.length + missing.length <= limit && isWithin(cell.budget, starts);
    if (!granted) return { world, answer: { granted, cell } };
    const budget = starts ? counted(cell.budget, starts) : cell.budget;
    const after = { ...cell, permits: [...cell.permits, ...missing].sort(byNonce), ...(budget && { budget }) };
    return { world: withCell(world, lane, after), answer: { granted: true, cell: after } };
  },
  'permits.release': (world, lane: Lane, _cell: number, permits: readonly Permit[]) => {
    const cell = cellOf(world, lane);
    const after = { ...cell, permits: cell.permits.filter((held) => !permits.some((p) => same(held, p))) };
    return { world: withCell(world, lane, after), answer: after };
  },
  'permits.read': (world, lane: Lane) => ({ world, answer: cellOf(world, lane) }),
  'permits.raise': (world, lane: Lane, _cell: number, of: Place = 'permits') => {
    const cell = cellOf(world, lane);
    const { raised, cleared } = flagOf(cell, of);
    const after = withFlag(cell, of, { raised: raised + 1, cleared });
    return { world: withCell(world, lane, after), answer: after };
  },
  'permits.clear': (world, lane: Lane, _cell: number, version: number, of: Place = 'permits') => {
    const cell = cellOf(world, lane);
    const { raised, cleared } = flagOf(cell, of);
    return { world: withCell(world, lane, withFlag(cell, of, { raised, cleared: Math.max(cleared, version) })), answer: undefined };
  },

  'backlog.put': (world, lane: Lane, tasks: readonly HintedTask[], place: Place = 'permits') => {
    const items = tasks.map((task): BacklogItem => ({ lane, place, task, key: itemKey(lane, place, task) }));
    const kept = world.backlog.filter((item) => !items.some(({ key }) => key === item.key));
    return {
      world: { ...world, backlog: [...kept, ...new Map(items.map((item) => [item.key, item])).values()].sort(byKey) },
      answer: undefined,
    };
  },
  'backlog.first': (world, lane: Lane, limit: number, place: Place = 'permits', from: Priority = 'high') => ({
    world,
    answer: world.backlog
      .filter((item) => item.place === place && laneKey(item.lane) === laneKey(lane))
      .filter(({ task }) => PRIORITIES.indexOf(task.priority) >= PRIORITIES.indexOf(from))
      .slice(0, limit)
      .map(({ task }) => task),
  }),
  'backlog.remove': (world, lane: Lane, tasks: readonly HintedTask[], place: Place = 'permits') => {
    const keys = tasks.map((task) => itemKey(lane, place, task));
    return { world: { ...world, backlog: world.backlog.filter(({ key }) => !keys.includes(key)) }, answer: undefined };
  },
  'backlog.register': (world, lane: Lane, now: number) => {
    const before = world.notes.find((note) => laneKey(note.lane) === laneKey(lane));
    const at = before ? Math.max(now, before.at + 1) : now;
    return { world: { ...world, notes: [...world.notes.filter((note) => note !== before), { lane, at }] }, answer: undefined };
  },
  'backlog.lanes': (world) => ({ world, answer: world.notes }),
  'backlog.unregister': (world, noted: BacklogLane) => ({
    world: { ...world, notes: world.notes.filter((n) => laneKey(n.lane) !== laneKey(noted.lane) || n.at !== noted.at) },
    answer: undefined,
  }),

  'breakers.known': (world) => ({ world, answer: knownOf(world) }),
  'breakers.notClosed': (world) => ({ world, answer: [knownOf(world) ?? []].flat() }),
  'breakers.read': (world) => ({ world, answer: world.breaker }),
  'breakers.write': (world, breaker: Breaker) => {
    const applied = (world.breaker?.seq ?? 0) === breaker.seq - 1;
    return { world: applied ? { ...world, breaker } : world, answer: { applied, breaker: applied ? breaker : world.breaker } };
  },

  'buckets.put': (world, minute: number, _shard: number, name: string, hint: TaskHint) => ({
    world: { ...world, buckets: [...world.buckets.filter((b) => b.minute !== minute || b.name !== name), { minute, name, hint }] },
    answer: undefined,
  }),
  // Moved items stay until their TTL; nobody reads them again.
  'buckets.read': (world, minute: number) => {
    const found = world.buckets.filter((item) => item.minute === minute).map(({ hint }) => hint);
    return { world, answer: found.length > 0 ? [found] : [] };
  },
  'buckets.cursor': (world) => ({ world, answer: world.cursor }),
  'buckets.advance': (world, _shard: number, from: number | undefined, to: number) =>
    world.cursor === from ? { world: { ...world, cursor: to }, answer: true } : { world, answer: false },

  'events.publish': (world, events: readonly TaskEvent[]) => ({
    world: { ...world, told: [...new Set([...world.told, ...events.map(({ eventId }) => eventId)])].sort() },
    answer: undefined,
  }),
};

/** Calls that only look: a fault in one leaves nothing behind. */
export const READS: ReadonlySet<string> = new Set([
  'tasks.get',
  'permits.read',
  'backlog.first',
  'backlog.lanes',
  'buckets.read',
  'buckets.cursor',
  'starts.known',
  'breakers.known',
  'breakers.notClosed',
  'breakers.read',
]);

export function receiptOf({ id, receives }: { readonly id: number; readonly receives: number }): string {
  return `${id}/${receives}`;
}

export function cellOf(world: World, lane: Lane): Cell {
  return world.cells[laneKey(lane)] ?? { permits: [], raised: 0, cleared: 0 };
}

/** What dispatch knows of a breaker is no older than it is: how late it may be is not explored. */
function knownOf({ breaker }: World): Breaker | undefined {
  return breaker?.state === 'closed' ? undefined : breaker;
}

type Flag = Pick<Cell, 'raised' | 'cleared'>;

function flagOf(cell: Cell, place: Place): Flag {
  return place === 'permits' ? cell : (cell.waiting ?? { raised: 0, cleared: 0 });
}

/** A cell says nothing of the flag of its budget until that is raised. */
function withFlag(cell: Cell, place: Place, flag: Flag): Cell {
  if (place === 'permits') return { ...cell, ...flag };
  return flag.raised > 0 ? { ...cell, waiting: flag } : cell;
}

function withCell(world: World, lane: Lane, cell: Cell): World {
  return { ...world, cells: { ...world.cells, [laneKey(lane)]: cell } };
}

function rowOf(world: World, tenant: string, id: string): TaskRow | undefined {
  return world.rows.find((row) => row.tenant === tenant && row.id === id);
}

function is(row: TaskRow | undefined, version: RowVersion): row is TaskRow {
  return row !== undefined && row.uid === version.uid && row.seq === version.seq && (version.state ?? row.state) === row.state;
}

function lost(row: TaskRow | undefined): WriteResult {
  return { applied: false, row };
}

/** Every write of a row comes by here, and so does what may never be written: a second end. */
function write(world: World, old: TaskRow | undefined, row: TaskRow): Applied {
  const rows = [...world.rows.filter((r) => r !== old), row].sort((a, b) => (a.id < b.id ? -1 : 1));
  const before = world.ends.find(([uid]) => uid === row.uid);
  const broken = before ? `${row.id} (${row.uid}) was ${before[1]}, then ${row.state}` : world.broken;
  const ends = isTerminal(row.state) && !before ? [...world.ends, [row.uid, row.state] as const].sort() : world.ends;
  return { world: { ...world, rows, ends, broken }, answer: { applied: true, row } satisfies WriteResult };
}

function changeMessage(world: World, receipt: string, visibleAt: number): World {
  return { ...world, queue: world.queue.map((m) => (receiptOf(m) === receipt ? { ...m, visibleAt } : m)) };
}

function same(a: Permit, b: Permit): boolean {
  return a.nonce === b.nonce && a.expiry === b.expiry;
}

function byNonce(a: Permit, b: Permit): number {
  return a.nonce < b.nonce ? -1 : 1;
}

function byKey(a: BacklogItem, b: BacklogItem): number {
  return a.key < b.key ? -1 : a.key > b.key ? 1 : 0;
}

function itemKey(lane: Lane, place: Place, task: HintedTask): string {
  return `${laneKey(lane)}#${place}#${keyOf(task)}`;
}
