import type { HintedTask, TaskRow } from '@sluice/contracts';
import { hasBacklog, hasRetries } from '../../core/permits/cells.ts';
import { BUDGET_WINDOW_MS } from '../../core/retry/budget.ts';
import { isTerminal } from '../../core/tasks/state.ts';
import type { ExploreConfig } from './config.ts';
import { cellOf } from './apply.ts';
import { permitsOf, type BacklogItem, type World } from './world.ts';
import { laneKey } from '../../core/permits/lane-key.ts';

/** A check of a state: what it finds wrong, or nothing. The names are those of docs/spec/Sluice.tla. */
type Check = (world: World, config: ExploreConfig) => string | undefined;

/** What must hold in every state. */
export const ALWAYS: Readonly<Record<string, Check>> = {
  /** Two ends of one generation, found where a row is written. */
  OneEnd: ({ broken }) => broken,

  /** An accepted task that is not terminal has a durable hint that will act on its row as it is now. */
  HasHint: (world) => {
    const row = world.rows.find((r) => !isTerminal(r.state) && world.accepted.includes(r.uid) && !hasHint(world, r));
    return row && `no hint acts on ${row.id}: it is ${row.state} with seq ${row.seq}`;
  },

  /** Never two live fences, but for the second run that Lambda itself makes of one event. */
  OneFence: ({ runs }) => {
    const own = runs.filter((run) => !run.second);
    const twice = own.find((a, i) => own.some((b, j) => j > i && a.sluice.task === b.sluice.task));
    return twice && `two live runs of ${twice.sluice.task}, one of fence ${twice.sluice.fence}`;
  },

  /** A permit for each live attempt. */
  Permits: (world) => {
    const permits = permitsOf(world);
    const bare = world.runs.find(
      ({ sluice, second }) => !second && !permits.some((p) => p.nonce === sluice.control?.key && p.expiry > world.now),
    );
    return bare && `no permit for the live attempt of ${bare.sluice.task} with fence ${bare.sluice.fence}`;
  },

  /** Attempts count handler runs that ended in an error of their own, and the success; without a fault nothing is lost. */
  Free: ({ rows, failures, faults }) => {
    const wrong = rows.find((row) => row.attempts > (failures[row.uid] ?? 0) + (row.state === 'succeeded' ? 1 : 0) || row.lost > faults);
    return (
      wrong && `${wrong.id} counts ${wrong.attempts} attempts and ${wrong.lost} lost; its handler failed ${failures[wrong.uid] ?? 0} times`
    );
  },

  /** In no minute more retries than the budget of the type has, where first attempts add nothing to it. */
  Budget: ({ retried, now }, { types }) => {
    const most = types.find(({ retryBudget }) => retryBudget?.percent === 0)?.retryBudget?.perMinute;
    const started = retried.filter((at) => at > now - BUDGET_WINDOW_MS).length;
    return most !== undefined && started > most ? `${started} retries were started within a minute; the budget is ${most}` : undefined;
  },

  /** While a breaker is not closed no more attempts are alive than its wave has probes. */
  Probes: ({ breaker, runs }) => {
    const most = breaker?.state === 'half-open' ? 2 ** (breaker.wave ?? 0) : 0;
    if (breaker === undefined || breaker.state === 'closed' || runs.length <= most) return undefined;
    return `${runs.length} attempts are alive behind a breaker that is ${breaker.state}`;
  },

  /** Chains of hints: one, and at most one more for each fault. */
  Chains: (world, { chains }) => {
    if (!chains) return undefined;
    const row = world.rows.find((r) => r.state === 'waiting' && hintsOn(world, r) > 1 + world.faults);
    return row && `${hintsOn(world, row)} hints act on ${row.id} after ${world.faults} faults`;
  },
};

/** States that are told of, whatever their type says. */
const TOLD: ReadonlySet<string> = new Set(['failed', 'expired', 'cancelled']);

/** What must hold when nothing but a fault can happen any more. */
export const AT_THE_END: Readonly<Record<string, Check>> = {
  // One fault alone leaves no row without a hint, even of a submission that was not answered.
  Done: ({ rows, accepted, faults }) => {
    const row = rows.find((r) => (faults < 2 || accepted.includes(r.uid)) && !isTerminal(r.state));
    return row && `${row.id} is ${row.state} for ever`;
  },
  Ended: ({ ends, accepted }) => {
    const uid = accepted.find((each) => !ends.some(([ended]) => ended === each));
    return uid && `generation ${uid} was accepted and never ended`;
  },
  Told: ({ ends, told }) => {
    const end = ends.find(([uid, state]) => TOLD.has(state) && !told.includes(`${uid}:${state}`));
    return end && `nobody was told that generation ${end[0]} ${end[1]}`;
  },
  Released: (world) => {
    const held = permitsOf(world).filter((p) => p.expiry > world.now);
    return held.length > 0 ? `${held.length} permits are held for nothing` : undefined;
  },
  Empty: ({ queue, records, backlog }) =>
    queue.length + records.length + backlog.length > 0
      ? `${queue.length} hints, ${records.length} records and ${backlog.length} items of a backlog are left that nobody looks at`
      : undefined,
};

/** As `decideHint` reads it: its seq, or one of those that a running attempt calls its own. */
function actsOn(task: HintedTask, row: TaskRow): boolean {
  if (task.id !== row.id || task.uid !== row.uid) return false;
  return task.seq === row.seq || (row.state === 'running' && row.run !== undefined && task.seq >= row.run.hint && task.seq <= row.seq);
}

function hasHint(world: World, row: TaskRow): boolean {
  return (
    world.queue.some(({ hint }) => hint.kind === 'tasks' && hint.tasks.some((task) => actsOn(task, row))) ||
    world.backlog.some((item) => actsOn(item.task, row) && isSpokenFor(world, item)) ||
    world.buckets.some(({ minute, hint }) => minute > (world.cursor ?? 0) && hint.tasks.some((task) => actsOn(task, row)))
  );
}

function hintsOn({ queue }: World, row: TaskRow): number {
  return queue.filter(({ hint }) => hint.kind === 'tasks' && hint.tasks.some((task) => actsOn(task, row))).length;
}

/** The flag of its place is up, and the minute knows the lane or a lane hint is on its way. */
function isSpokenFor(world: World, { lane, place }: BacklogItem): boolean {
  const key = laneKey(lane);
  const told = world.queue.some(({ hint }) => hint.kind === 'lane' && laneKey(hint) === key);
  const isUp = place === 'permits' ? hasBacklog : hasRetries;
  return isUp(cellOf(world, lane)) && (told || world.notes.some((note) => laneKey(note.lane) === key));
}
