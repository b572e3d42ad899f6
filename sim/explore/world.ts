import type {
  Breaker,
  DestinationRecord,
  Envelope,
  HintedTask,
  HintMessage,
  StartMode,
  TaskHint,
  TaskRow,
  TaskState,
} from '@sluice/contracts';
import type { BacklogLane } from '../../core/ports/backlog-store.ts';
import type { Cell, Lane, Permit, Place } from '../../core/ports/permit-store.ts';
import type { Answer, Continuation } from './continuation.ts';
import { laneKey } from '../../core/permits/lane-key.ts';

/** A message of the shard queue, of which there is one. */
export interface QueueMessage {
  readonly id: number;
  readonly hint: HintMessage;
  readonly body: string;
  readonly visibleAt: number;
  readonly receives: number;
}

/** A message of the outcomes queue. */
export interface RecordMessage {
  readonly id: number;
  readonly body: string;
  readonly visibleAt: number;
  readonly receives: number;
}

export interface BacklogItem {
  readonly lane: Lane;
  readonly place: Place;
  readonly task: HintedTask;
  readonly key: string;
}

export interface BucketItem {
  readonly minute: number;
  readonly name: string;
  readonly hint: TaskHint;
}

/** A handler's run that may begin or is alive. */
export interface HandlerRun {
  readonly mode: StartMode;
  readonly sluice: Envelope['sluice'];
  /** ms: when it is over at the latest, its time-out and for `event` its age. */
  readonly until: number;
  /** Lambda's own second run of one event. */
  readonly second: boolean;
  /** The invocation of dispatch that waits for it, and by which of its calls. */
  readonly waitedForBy?: { readonly invocation: number; readonly call: number };
}

/** One invocation of a function of the platform, between two of its calls. */
export interface Invocation {
  /** The smallest number that nobody else has; names its messages of chance too. */
  readonly id: number;
  readonly at: Continuation;
  /** It takes long: time passes while it waits. */
  readonly slow: boolean;
  /** A call that was made, whose answer is on its way. */
  readonly held?: { readonly call: number; readonly answer: Answer };
  /** ms: when it began, and when Lambda ends it. */
  readonly began: number;
  readonly deadline: number;
  readonly messages: readonly number[];
  /** Which client called it. */
  readonly client?: number;
}

/** All that there is at one moment. Never changed: a step makes another one, which shares what stayed the same. */
export interface World {
  readonly now: number;
  readonly rows: readonly TaskRow[];
  readonly queue: readonly QueueMessage[];
  readonly backlog: readonly BacklogItem[];
  readonly notes: readonly BacklogLane[];
  /** Of each lane one cell. */
  readonly cells: Readonly<Record<string, Cell>>;
  /** Of the one type that there is then. */
  readonly breaker: Breaker | undefined;
  readonly buckets: readonly BucketItem[];
  readonly cursor: number | undefined;
  readonly runs: readonly HandlerRun[];
  readonly records: readonly RecordMessage[];
  readonly invocations: readonly Invocation[];
  /** The minute of the last tick. */
  readonly ticked: number;
  /** How many of its calls each client has made. */
  readonly called: readonly number[];
  /** Generations that were accepted. */
  readonly accepted: readonly string[];
  /** Generations that ended, and how. */
  readonly ends: readonly (readonly [uid: string, state: TaskState])[];
  /** Ids of the events that were told. */
  readonly told: readonly string[];
  /** Handler runs of each generation that ended in an error of their own. */
  readonly failures: Readonly<Record<string, number>>;
  /** ms: when retries of types with a budget were started, the last ones. */
  readonly retried: readonly number[];
  readonly faults: number;
  readonly throttles: number;
  /** Runs whose process died. */
  readonly crashes: number;
  /** What should never happen, at the step that it happened. */
  readonly broken: string | undefined;
}

export const T0 = Date.UTC(2026, 0, 1);
/** A run's tables begin empty but for the cursor of the buckets. */
export function emptyWorld(clients: number, breaker?: Breaker): World {
  return {
    now: T0,
    rows: [],
    queue: [],
    backlog: [],
    notes: [],
    cells: {},
    breaker,
    buckets: [],
    cursor: Math.floor(T0 / 60_000) + 1,
    runs: [],
    records: [],
    invocations: [],
    ticked: Math.floor(T0 / 60_000),
    called: Array.from({ length: clients }, () => 0),
    accepted: [],
    ends: [],
    told: [],
    failures: {},
    retried: [],
    faults: 0,
    throttles: 0,
    crashes: 0,
    broken: undefined,
  };
}

/** Numbers of what invocations work on: hints from 1, records, the tick, and clients from here. */
export const RECORDS = 30;
export const TICK = 60;
export const CLIENTS = 70;

/** The smallest number that is not taken. */
export function free(taken: (n: number) => boolean): number {
  let n = 1;
  while (taken(n)) n += 1;
  return n;
}

/** Puts a message on the shard queue. Numbers of messages that somebody still holds are not used again. */
export function withMessage(world: World, hint: HintMessage, visibleAt: number): World {
  // Two lane hints that nobody has received yet say no more than one.
  if (hint.kind === 'lane' && world.queue.some((m) => m.receives === 0 && m.hint.kind === 'lane' && laneKey(m.hint) === laneKey(hint)))
    return world;
  const id = free((n) => world.queue.some((m) => m.id === n) || world.invocations.some((i) => i.messages.includes(n)));
  const message: QueueMessage = { id, hint, body: JSON.stringify(hint), visibleAt, receives: 0 };
  return { ...world, queue: [...world.queue, message].sort((a, b) => a.id - b.id) };
}

export function withRecord(world: World, record: DestinationRecord): World {
  const id = free((n) => world.records.some((m) => m.id === n) || world.invocations.some((i) => i.messages.includes(RECORDS + n)));
  const message: RecordMessage = { id, body: JSON.stringify(record), visibleAt: world.now, receives: 0 };
  return { ...world, records: [...world.records, message].sort((a, b) => a.id - b.id) };
}

export function permitsOf(world: World): readonly Permit[] {
  return Object.values(world.cells).flatMap((cell) => cell.permits);
}
