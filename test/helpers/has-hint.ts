import type { HintedTask, HintMessage, TaskRow } from '@sluice/contracts';
import { parseHint } from '../../core/hints/parse.ts';
import { hasBacklog, hasRetries } from '../../core/permits/cells.ts';
import type { Cell, Lane, Permit, Place } from '../../core/ports/permit-store.ts';
import { isTerminal } from '../../core/tasks/state.ts';
import type { World, WorldDeps } from './world.ts';

export interface WatchedWorld {
  /** The world's ports, watched. Faults go around these, so that what is watched is what really happened. */
  readonly deps: WorldDeps;
  /**
   * Rows that are neither terminal nor named by any hint that will act on them as they are now.
   * @param rows where the caller knows them; else all that there are
   */
  readonly withoutHint: (rows?: Iterable<TaskRow>) => readonly TaskRow[];
  /** The homes of the hints that will act on a row as it is now. */
  readonly hintsOf: (row: TaskRow) => readonly Home[];
  readonly permits: () => readonly Permit[];
  /** Lanes with an item in their backlog that no flag speaks for. */
  readonly silentBacklogs: () => readonly string[];
}

/** Calls after which a task may be without a hint. */
const RISKY: ReadonlySet<string> = new Set([
  'tasks.insert',
  'tasks.replace',
  'tasks.update',
  'queue.remove',
  'backlog.remove',
  'backlog.unregister',
  'permits.clear',
  'buckets.advance',
]);

type Home = 'queue' | 'backlog' | 'bucket';
interface Resting {
  readonly home: Home;
  readonly tenant: string;
  readonly task: HintedTask;
}

interface BucketItem {
  readonly minute: number;
  readonly shard: number;
  readonly tenant: string;
  readonly tasks: readonly HintedTask[];
}

/**
 * Checks what must hold of hints (`HasHint` in the specification): every task that is not terminal has a hint, durable,
 * that will act on its row as it is now.
 * @param changed is called after each call that may have broken it: a row written, or a hint gone
 */
export function watchHints(world: World, changed: (at: string, answer: unknown) => void = () => {}): WatchedWorld {
  const { deps } = world;
  const items = new Map<string, { lane: Lane; task: HintedTask; place: Place }>();
  const cells = new Map<string, Cell>();
  const buckets: BucketItem[] = [];
  const cursors = new Map<number, number>();
  const parsed = new Map<string, HintMessage | undefined>();
  let noted = new Set<string>();

  const itemKey = (lane: Lane, { at, uid, seq, priority }: HintedTask, place: Place) =>
    `${laneKey(lane)}#${place}#${priority}#${at}#${uid}#${seq}`;
  const seeLanes = async () => void (noted = new Set((await deps.backlog.lanes()).map(({ lane }) => laneKey(lane))));
  const seeCell = async (lane: Lane, cell: number) => void cells.set(`${laneKey(lane)}/${cell}`, await deps.permits.read(lane, cell));
  /** Does a call, then what keeps the watch up to date, then tells where it may have broken something. */
  const then =
    <A extends unknown[], R>(at: string, call: (...args: A) => Promise<R>, see?: (args: A, answer: R) => unknown) =>
    async (...args: A): Promise<R> => {
      const answer = await call(...args);
      await see?.(args, answer);
      if (RISKY.has(at)) changed(at, answer);
      return answer;
    };

  const watched: WorldDeps = {
    ...deps,
    tasks: {
      ...deps.tasks,
      insert: then('tasks.insert', deps.tasks.insert),
      replace: then('tasks.replace', deps.tasks.replace),
      update: then('tasks.update', deps.tasks.update),
    },
    queue: { ...deps.queue, remove: then('queue.remove', deps.queue.remove) },
    backlog: {
      ...deps.backlog,
      put: then('backlog.put', deps.backlog.put, ([lane, tasks, place = 'permits']) => {
        for (const task of tasks) items.set(itemKey(lane, task, place), { lane, task, place });
      }),
      remove: then('backlog.remove', deps.backlog.remove, ([lane, tasks, place = 'permits']) => {
        for (const task of tasks) items.delete(itemKey(lane, task, place));
      }),
      register: then('backlog.register', deps.backlog.register, seeLanes),
      unregister: then('backlog.unregister', deps.backlog.unregister, seeLanes),
    },
    permits: {
      ...deps.permits,
      acquire: then('permits.acquire', deps.permits.acquire, ([lane, cell]) => seeCell(lane, cell)),
      release: then('permits.release', deps.permits.release, ([lane, cell]) => seeCell(lane, cell)),
      raise: then('permits.raise', deps.permits.raise, ([lane, cell]) => seeCell(lane, cell)),
      clear: then('permits.clear', deps.permits.clear, ([lane, cell]) => seeCell(lane, cell)),
    },
    buckets: {
      ...deps.buckets,
      put: then('buckets.put', deps.buckets.put, ([minute, shard, , { tenant, tasks }]) => buckets.push({ minute, shard, tenant, tasks })),
      advance: then('buckets.advance', deps.buckets.advance, ([shard, , to], advanced) => advanced && cursors.set(shard, to)),
    },
  };

  const messages = (): HintMessage[] =>
    world.queue.bodies().flatMap((body) => {
      if (!parsed.has(body)) parsed.set(body, parseHint(body));
      return parsed.get(body) ?? [];
    });
  const isUp = { permits: hasBacklog, budget: hasRetries };
  const flagged = (lane: Lane, place: Place) => [...cells].some(([key, cell]) => key.startsWith(`${laneKey(lane)}/`) && isUp[place](cell));
  /** Somebody will look: the minute, or a lane hint that is on its way. */
  const spokenFor = (lane: Lane, place: Place, queued: readonly HintMessage[]) =>
    flagged(lane, place) && (noted.has(laneKey(lane)) || queued.some((m) => m.kind === 'lane' && laneKey(m) === laneKey(lane)));

  /** Every hint that somebody will look at, by the generation that it names. */
  const resting = (): Map<string, Resting[]> => {
    const found = new Map<string, Resting[]>();
    const add = (home: Home, tenant: string, task: HintedTask) => {
      const list = found.get(task.uid);
      if (list) list.push({ home, tenant, task });
      else found.set(task.uid, [{ home, tenant, task }]);
    };
    const queued = messages();
    for (const m of queued) if (m.kind === 'tasks') for (const task of m.tasks) add('queue', m.tenant, task);
    for (const { lane, task, place } of items.values()) if (spokenFor(lane, place, queued)) add('backlog', lane.tenant, task);
    for (const { minute, shard, tenant, tasks } of buckets) {
      if (minute > (cursors.get(shard) ?? 0)) for (const task of tasks) add('bucket', tenant, task);
    }
    return found;
  };
  const homesOf = (row: TaskRow, hints: Map<string, Resting[]>) =>
    (hints.get(row.uid) ?? []).filter(({ tenant, task }) => tenant === row.tenant && actsOn(task, row)).map(({ home }) => home);

  return {
    deps: watched,
    hintsOf: (row) => homesOf(row, resting()),
    withoutHint: (rows = world.tasks.rows()) => {
      const live = [...rows].filter((row) => !isTerminal(row.state));
      if (live.length === 0) return [];
      const hints = resting();
      return live.filter((row) => homesOf(row, hints).length === 0);
    },
    permits: () => [...cells.values()].flatMap((cell) => cell.permits),
    silentBacklogs: () => [
      ...new Set([...items.values()].filter(({ lane, place }) => !spokenFor(lane, place, messages())).map(({ lane }) => laneKey(lane))),
    ],
  };
}

function laneKey({ tenant, type }: Lane): string {
  return `${tenant}#${type}`;
}

/** As `decideHint` reads it: its seq, or one of those that a running attempt calls its own. */
function actsOn(task: HintedTask, row: TaskRow): boolean {
  if (task.id !== row.id || task.uid !== row.uid) return false;
  return task.seq === row.seq || (row.state === 'running' && row.run !== undefined && task.seq >= row.run.hint && task.seq <= row.seq);
}
