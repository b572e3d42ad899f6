import type { HintedTask, HintMessage, TaskHint, TaskRow } from '@sluice/contracts';
import { parseHint } from '../../core/hints/parse.ts';
import type { MessageWatcher } from '../../adapters/memory/messages.ts';
import { hasBacklog, hasRetries } from '../../core/permits/cells.ts';
import type { BacklogLane } from '../../core/ports/backlog-store.ts';
import type { Cell, Lane, Permit, Place } from '../../core/ports/permit-store.ts';
import { isTerminal } from '../../core/tasks/state.ts';
import { laneKey } from '../../core/permits/lane-key.ts';

export type Home = 'queue' | 'backlog' | 'bucket';

interface Resting {
  readonly home: Home;
  readonly tenant: string;
  readonly task: HintedTask;
  /** Of a backlog: its lane and place. */
  readonly place?: string;
}

/**
 * Every durable hint, by the generation that it names, kept up to date with each call that is heard of. `HasHint` of
 * the specification is asked of it: every task that is not terminal has a hint that will act on its row as it is now.
 */
export function createHintIndex() {
  const resting = new Map<string, Set<Resting>>();
  const messages = new Map<string, { message: HintMessage; hints: readonly Resting[] }>();
  const items = new Map<string, Resting>();
  const itemsOf = new Map<string, Set<string>>();
  /** By minute, shard and the name of their item. */
  const buckets = new Map<number, Map<number, Map<string, readonly Resting[]>>>();
  const cursors = new Map<number, number>();
  const cells = new Map<string, Cell>();
  /** Cells whose flags are up, by lane and place. */
  const flags = new Map<string, Set<number>>();
  const noted = new Map<string, number>();
  /** Lane hints that are on their way, by lane. */
  const laneHints = new Map<string, number>();

  const add = (hint: Resting): Resting => {
    const same = resting.get(hint.task.uid);
    if (same) same.add(hint);
    else resting.set(hint.task.uid, new Set([hint]));
    return hint;
  };
  const drop = (hint: Resting): void => {
    const same = resting.get(hint.task.uid);
    same?.delete(hint);
    if (same?.size === 0) resting.delete(hint.task.uid);
  };
  const countLane = (lane: string, by: number): void => void laneHints.set(lane, (laneHints.get(lane) ?? 0) + by);

  const watcher: MessageWatcher = {
    added: (messageId, body) => {
      const message = parseHint(body);
      if (!message) return;
      if (message.kind === 'lane') countLane(laneKey(message), 1);
      const hints = message.kind === 'tasks' ? restingOf('queue', message).map(add) : [];
      messages.set(messageId, { message, hints });
    },
    hidden: () => {},
    removed: (messageId) => {
      const known = messages.get(messageId);
      if (!known) return;
      messages.delete(messageId);
      if (known.message.kind === 'lane') countLane(laneKey(known.message), -1);
      known.hints.forEach(drop);
    },
  };

  const put = (lane: Lane, tasks: readonly HintedTask[], of: Place | undefined): void => {
    const name = placeKey(lane, of);
    for (const task of tasks) {
      const key = itemKey(name, task);
      const old = items.get(key);
      if (old) drop(old);
      items.set(key, add({ home: 'backlog', tenant: lane.tenant, task, place: name }));
      const own = itemsOf.get(name);
      if (own) own.add(key);
      else itemsOf.set(name, new Set([key]));
    }
  };
  const remove = (lane: Lane, tasks: readonly HintedTask[], of: Place | undefined): void => {
    const name = placeKey(lane, of);
    for (const task of tasks) {
      const key = itemKey(name, task);
      const old = items.get(key);
      if (!old) continue;
      drop(old);
      items.delete(key);
      itemsOf.get(name)?.delete(key);
    }
  };
  const seeCell = (lane: Lane, number: number, cell: Cell): void => {
    cells.set(`${laneKey(lane)}/${number}`, cell);
    seeFlag(placeKey(lane, 'permits'), number, hasBacklog(cell));
    seeFlag(placeKey(lane, 'budget'), number, hasRetries(cell));
  };
  const seeFlag = (place: string, number: number, isUp: boolean): void => {
    const up = flags.get(place) ?? new Set<number>();
    flags.set(place, up);
    if (isUp) up.add(number);
    else up.delete(number);
  };
  const putBucket = (minute: number, shard: number, name: string, hint: TaskHint): void => {
    if (minute <= (cursors.get(shard) ?? 0)) return;
    const shards = buckets.get(minute) ?? new Map<number, Map<string, readonly Resting[]>>();
    buckets.set(minute, shards);
    const named = shards.get(shard) ?? new Map<string, readonly Resting[]>();
    shards.set(shard, named);
    // A put that is repeated is the same item.
    named.get(name)?.forEach(drop);
    named.set(name, restingOf('bucket', hint).map(add));
  };
  const advance = (shard: number, to: number): void => {
    for (let minute = (cursors.get(shard) ?? to - 1) + 1; minute <= to; minute++) passMinute(minute, shard);
    if (!cursors.has(shard)) for (const minute of buckets.keys()) if (minute < to) passMinute(minute, shard);
    cursors.set(shard, to);
  };
  const passMinute = (minute: number, shard: number): void => {
    for (const hints of buckets.get(minute)?.get(shard)?.values() ?? []) hints.forEach(drop);
    buckets.get(minute)?.delete(shard);
  };

  /** Somebody will look: the minute, or a lane hint that is on its way. */
  const spokenFor = (place: string): boolean => {
    const [lane = ''] = place.split('/');
    return (flags.get(place)?.size ?? 0) > 0 && (noted.has(lane) || (laneHints.get(lane) ?? 0) > 0);
  };

  const homesOf = (row: TaskRow): Home[] => {
    const homes: Home[] = [];
    for (const { home, tenant, task, place } of resting.get(row.uid) ?? []) {
      if (tenant === row.tenant && actsOn(task, row) && (place === undefined || spokenFor(place))) homes.push(home);
    }
    return homes;
  };

  return {
    watcher,
    /** A call that was applied. @returns the generations whose hints may be fewer now */
    applied: (at: string, args: readonly unknown[], answer: unknown): Iterable<string> => {
      switch (at) {
        case 'backlog.put':
          put(args[0] as Lane, args[1] as HintedTask[], args[2] as Place | undefined);
          return [];
        case 'backlog.remove':
          remove(args[0] as Lane, args[1] as HintedTask[], args[2] as Place | undefined);
          return (args[1] as HintedTask[]).map(({ uid }) => uid);
        case 'backlog.register': {
          const [lane, now] = args as [Lane, number];
          const before = noted.get(laneKey(lane));
          noted.set(laneKey(lane), before === undefined ? now : Math.max(now, before + 1));
          return [];
        }
        case 'backlog.unregister': {
          const note = args[0] as BacklogLane;
          const name = laneKey(note.lane);
          if (noted.get(name) === note.at) noted.delete(name);
          return [...uidsIn(placeKey(note.lane, 'permits')), ...uidsIn(placeKey(note.lane, 'budget'))];
        }
        case 'permits.acquire':
          seeCell(args[0] as Lane, args[1] as number, (answer as { cell: Cell }).cell);
          return [];
        case 'permits.release':
        case 'permits.raise':
          seeCell(args[0] as Lane, args[1] as number, answer as Cell);
          return [];
        case 'permits.clear': {
          const [lane, number, version, of = 'permits'] = args as [Lane, number, number, Place | undefined];
          const cell = cells.get(`${laneKey(lane)}/${number}`) ?? { permits: [], raised: 0, cleared: 0 };
          seeCell(lane, number, cleared(cell, version, of));
          return uidsIn(placeKey(lane, of));
        }
        case 'buckets.put':
          putBucket(args[0] as number, args[1] as number, args[2] as string, args[3] as TaskHint);
          return [];
        case 'buckets.advance':
          if (answer !== true) return [];
          advance(args[0] as number, args[2] as number);
          return resting.keys();
        default:
          return [];
      }
    },
    /** The generations that a message names. */
    namedBy: (messageId: string): readonly string[] => messages.get(messageId)?.hints.map(({ task }) => task.uid) ?? [],
    /** Whether a hint names that task, of whatever generation. */
    names: (tenant: string, id: string): boolean =>
      [...resting.values()].some((same) => [...same].some((hint) => hint.tenant === tenant && hint.task.id === id)),
    homesOf,
    hasHint: (row: TaskRow): boolean => isTerminal(row.state) || homesOf(row).length > 0,
    permitsIn: (lane: Lane): readonly Permit[] =>
      [...cells].flatMap(([key, cell]) => (key.startsWith(`${laneKey(lane)}/`) ? cell.permits : [])),
    /** Of all cells of the lanes that are meant. */
    permitsOf: (means: (lane: Lane) => boolean): readonly Permit[] =>
      [...cells].flatMap(([key, cell]) => (means(laneOfKey(key)) ? cell.permits : [])),
    permits: (): readonly Permit[] => [...cells.values()].flatMap((cell) => cell.permits),
    /** Lanes with an item in their backlog that no flag speaks for. */
    silentBacklogs: (): readonly string[] => [...itemsOf].flatMap(([place, own]) => (own.size > 0 && !spokenFor(place) ? [place] : [])),
  };

  function uidsIn(place: string): string[] {
    return [...(itemsOf.get(place) ?? [])].flatMap((key) => items.get(key)?.task.uid ?? []);
  }
}

function laneOfKey(key: string): Lane {
  const [tenant = '', rest = ''] = key.split('#');
  return { tenant, type: rest.split('/')[0] ?? '' };
}

function restingOf(home: Home, { tenant, tasks }: TaskHint): Resting[] {
  return tasks.map((task) => ({ home, tenant, task }));
}

function cleared(cell: Cell, version: number, of: Place): Cell {
  if (of === 'permits') return { ...cell, cleared: Math.max(cell.cleared, version) };
  const { raised = 0, cleared: before = 0 } = cell.waiting ?? {};
  return { ...cell, waiting: { raised, cleared: Math.max(before, version) } };
}

function itemKey(place: string, { at, uid, seq, priority }: HintedTask): string {
  return `${place}#${priority}#${at}#${uid}#${seq}`;
}

/** No name of a lane holds a slash. */
function placeKey(lane: Lane, place: Place = 'permits'): string {
  return place === 'permits' ? laneKey(lane) : `${laneKey(lane)}/${place}`;
}

/** As `decideHint` reads it: its seq, or one of those that a running attempt calls its own. */
export function actsOn(task: HintedTask, row: TaskRow): boolean {
  if (task.id !== row.id || task.uid !== row.uid) return false;
  return task.seq === row.seq || (row.state === 'running' && row.run !== undefined && task.seq >= row.run.hint && task.seq <= row.seq);
}
