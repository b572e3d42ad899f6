import { PRIORITIES, type RetryPolicy, type StarvationBounds } from '@sluice/contracts';
import { ATTEND_MS, LOOK_MS } from '../../../core/dispatch/attend.ts';
import { limitOf as roomOf, freshLimit, SEEN_MS } from '../../../core/priority/reserve.ts';
import { backoffMs } from '../../../core/retry/backoff.ts';
import { NONE } from '../engine/tasks.ts';
import { EventSource } from '../model/event-source.ts';
import { OUTCOMES, type AttemptEnd, type System } from '../model/outcome.ts';
import { PARAMETERS } from '../parameters.ts';
import type { Parts } from '../run.ts';
import { AheadSlots } from './ahead-slots.ts';
import { Lanes, type CellEnds, type Lane, type LaneRules } from './lanes.ts';
import { pick, type Picked } from './pick.ts';
import type { RetryBudgets } from './retry-budgets.ts';
import { ShardQueues, type ShardRules } from './shard-queues.ts';

const { dispatchMs, parkMs, eventStartMs, settleMs, drainAtOnce, drainMs, freeBackoff, crashes } = PARAMETERS;

export interface SluiceRules extends LaneRules, ShardRules {
  /** How attempts are started and their ends are heard of. */
  readonly start: 'event' | 'wait';
  readonly retry: Pick<RetryPolicy, 'maxAttempts' | 'minDelaySeconds' | 'maxDelaySeconds' | 'factor'>;
  readonly bounds?: StarvationBounds;
  /** Another source of permits than the lanes' own, such as a division of the capacity. */
  readonly permits?: (lanes: Lanes) => PermitSource;
  /** What may hold attempts back beside permits. */
  readonly gate?: Gate | undefined;
  /** What lanes may spend on retries. @default they are free */
  readonly budgets?: RetryBudgets | undefined;
}

/** Where permits come from, and go back to. */
export interface PermitSource {
  /** @param fresh whether they are for tasks that came by a queue */
  readonly acquire: (lane: Lane, wanted: number, most: (limit: number) => number, fresh: boolean) => readonly number[];
  readonly release: (lane: Lane, cell: number, ends: CellEnds) => void;
  readonly free: (lane: Lane) => number;
}

/** Whether attempts may start at all, and what their ends say of it. */
export interface Gate {
  /** @returns those that may start */
  readonly pass: (tasks: readonly number[]) => readonly number[];
  /** These passed and could not start. */
  readonly undo: (tasks: readonly number[]) => void;
  /** @returns when a crash that does not count is tried again, ms from now; `undefined` where it counts */
  readonly ended: (task: number, end: AttemptEnd) => number | undefined;
  /** Lanes may go on. */
  onOpen?: () => void;
}

/** The platform: shard queues, lanes with permits and backlogs, attempts, and their ends, by the policies of core/. */
export class Sluice implements System {
  readonly lanes: Lanes;
  readonly queues: ShardQueues;
  /**
   * What lanes cost that ever had a backlog: tasks named by messages that were received, lane hints received, tasks put into
   * a backlog, first attempts.
   */
  readonly pressed = { named: 0, laneHints: 0, parked: 0, started: 0 };
  /** Tasks that were put into a backlog, each time. */
  parked = 0;
  /** Tasks that were started on a turn of what is overdue, by class. */
  readonly overdue = [0, 0, 0];
  readonly #parts: Parts;
  readonly #rules: SluiceRules;
  readonly #permits: PermitSource;
  /** With `wait`, where nothing but permits holds attempts back. */
  readonly #ahead: AheadSlots | undefined;
  readonly #outcomes: EventSource;
  readonly #begin: (at: number, task: number) => void;
  readonly #settleOne: (at: number, task: number) => void;
  readonly #drainOn: (at: number, tenant: number) => void;
  readonly #drains = new Map<number, Drain[]>();
  readonly #chance;

  constructor(parts: Parts, rules: SluiceRules) {
    const { world, target } = parts;
    this.#parts = parts;
    this.#rules = rules;
    this.#chance = world.chance('retries');
    this.lanes = new Lanes(world, rules);
    this.#permits = rules.permits?.(this.lanes) ?? {
      acquire: (lane, wanted, most) => this.lanes.acquire(lane, wanted, most),
      release: (lane, cell, ends) => this.lanes.release(lane, cell, ends),
      free: (lane) => this.lanes.limit(lane) - this.lanes.held(lane),
    };
    this.queues = new ShardQueues(world, rules, (source, messages) => this.#dispatch(source, messages));
    this.#outcomes = new EventSource(world, {
      work: (tasks) => {
        this.#settle(tasks);
        return settleMs;
      },
    });
    this.#begin = world.on((task) => target().begin(task));
    if (rules.start === 'wait' && !rules.permits && !rules.gate)
      this.#ahead = new AheadSlots(world, this.lanes, this.#begin, (...claim) => this.#undo(...claim));
    this.#settleOne = world.on((task) => this.#settle([task]));
    this.#drainOn = world.on((tenant) => this.#drain(this.lanes.of(tenant), this.#drains.get(tenant)!.shift()!));
    // Lanes with a backlog are told each minute, whatever became of the releases that should have done it.
    world.every(60_000, () => this.goOn(), 60_000);
  }

  readonly submit = (message: number): void => {
    const { tasks } = this.#parts.world;
    this.queues.send(message, tasks.tenant[message]!, tasks.priority[message]!);
  };

  readonly ended = (task: number, end: AttemptEnd): void => {
    const { world } = this.#parts;
    world.tasks.end[task] = OUTCOMES.indexOf(end);
    this.#ahead?.ended(this.lanes.of(world.tasks.tenant[task]!), task, end === 'throttled');
    if (this.#rules.start === 'event') this.#outcomes.send(task);
    else this.#settleOne(world.now + settleMs, task);
  };

  /** Tells all lanes that have a backlog. */
  goOn(): void {
    for (const lane of this.lanes.all()) {
      this.#goOnWithRetries(lane);
      if (hasBacklog(lane)) this.hintLane(lane);
    }
  }

  /** Tells a lane that it may have room. */
  hintLane(lane: Lane): void {
    this.queues.send(-1 - lane.tenant, lane.tenant, 0);
  }

  #goOnWithRetries(lane: Lane): void {
    for (const task of this.#rules.budgets?.release(lane.tenant) ?? []) this.#later(task, 0);
  }

  get waiting(): number {
    let sum = 0;
    for (const { waiting } of this.lanes.all()) for (const { size } of waiting) sum += size;
    return sum;
  }

  #dispatch(source: EventSource, messages: readonly number[]): number | undefined {
    const { tasks, now } = this.#parts.world;
    const byLane = new Map<number, number[]>();
    const drains: Lane[] = [];
    for (const message of messages) {
      if (message < 0) {
        this.pressed.laneHints += 1;
        drains.push(this.lanes.of(-1 - message));
      } else {
        const list = byLane.get(tasks.tenant[message]!) ?? [];
        byLane.set(tasks.tenant[message]!, list);
        for (let task = message; task !== NONE; task = tasks.sibling[task]!) if (!this.#expired(task)) list.push(task);
      }
    }
    let parked = 0;
    for (const [tenant, list] of byLane) parked += this.#fresh(this.lanes.of(tenant), list);
    const takes = dispatchMs + (parked > 0 ? parkMs : 0);
    if (drains.length === 0) return takes;
    let left = drains.length;
    const finish = (): void => {
      left -= 1;
      if (left === 0) source.finish();
    };
    for (const lane of drains) this.#drainLater(lane, now, finish);
    return undefined;
  }

  /** Starts what came by a queue as far as there are permits; parks the others. @returns how many were parked */
  #fresh(lane: Lane, list: readonly number[]): number {
    const { tasks, now } = this.#parts.world;
    let parked = 0;
    if (lane.pressed) this.pressed.named += list.length;
    for (const rank of [0, 1, 2]) {
      const ofClass = list.filter((task) => tasks.priority[task] === rank && (this.#rules.budgets?.start(task) ?? true));
      if (ofClass.length === 0) continue;
      lane.seen[rank] = now;
      const passed = this.#rules.gate?.pass(ofClass) ?? ofClass;
      const most = this.#mostOf(lane, rank, hasBacklog(lane));
      const cells = this.#permits.acquire(lane, passed.length, most, true);
      cells.forEach((cell, i) => this.#start(passed[i]!, cell, now + dispatchMs));
      if (cells.length < passed.length) this.#rules.gate?.undo(passed.slice(cells.length));
      const started = new Set(passed.slice(0, cells.length));
      for (const task of ofClass) if (!started.has(task)) parked += this.#park(lane, task);
    }
    return parked;
  }

  /** What a cell of some limit may hold for a class. */
  #mostOf(lane: Lane, rank: number, behindBacklog: boolean): (limit: number) => number {
    const priority = PRIORITIES[rank]!;
    const { now } = this.#parts.world;
    if (behindBacklog) return (limit) => freshLimit(priority, limit);
    const above = lane.seen.slice(0, rank).some((at) => now - at < SEEN_MS);
    return above ? (limit) => roomOf(priority, limit) : (limit) => limit;
  }

  #start(task: number, cell: number, at: number): void {
    const { tasks, now } = this.#parts.world;
    tasks.place[task] = cell;
    tasks.claimed[task] = now;
    this.#count(this.lanes.of(tasks.tenant[task]!), task);
    this.#begin(at + (this.#rules.start === 'event' ? eventStartMs : 0), task);
  }

  #count(lane: Lane, task: number): void {
    lane.started += 1;
    if (lane.pressed && this.#parts.world.tasks.starts[task] === 0) this.pressed.started += 1;
  }

  /** Gives back what was claimed and has no slot to wait for. */
  #undo(lane: Lane, cell: number, task: number): void {
    this.#permits.release(lane, cell, { succeeded: 0, heldMs: 0, failed: 1, throttled: [] });
    this.#later(task, backoffMs(freeBackoff, 0, this.#chance.fraction()));
  }

  #park(lane: Lane, task: number): number {
    this.parked += 1;
    if (lane.pressed) this.pressed.parked += 1;
    lane.pressed = true;
    lane.waiting[this.#parts.world.tasks.priority[task]!]!.push(task);
    return 1;
  }

  #drainLater(lane: Lane, at: number, finish: () => void, until = 0): void {
    const list = this.#drains.get(lane.tenant) ?? [];
    this.#drains.set(lane.tenant, list);
    list.push({ finish, until });
    this.#drainOn(at, lane.tenant);
  }

  /** One round of working off a lane's backlog; another one follows while something came of it, and a while after that. */
  #drain(lane: Lane, { finish, until }: Drain): void {
    const { now } = this.#parts.world;
    const asked = this.#ahead?.asked(lane);
    const room = Math.min(drainAtOnce, asked?.reduce((sum, each) => sum + each, 0) ?? this.#permits.free(lane));
    const { bounds } = this.#rules;
    const picked = room > 0 ? pick(this.#parts.world, lane, { room, bounds, isOver: (task) => this.#expired(task) }) : [];
    const started = picked.length > 0 ? this.#startPicked(lane, picked, asked) : 0;
    lane.turn += started;
    if (!hasBacklog(lane)) finish();
    else if (started > 0) {
      // The pool of `wait` goes on by itself.
      const mark = this.#rules.start === 'event' ? now + ATTEND_MS : 0;
      if (mark > 0) lane.attendedUntil = mark;
      this.#drainLater(lane, now + drainMs, finish, mark);
    } else if (now < until && lane.attendedUntil <= until) this.#drainLater(lane, now + LOOK_MS, finish, until);
    else finish();
  }

  #startPicked(lane: Lane, picked: readonly Picked[], asked: number[] | undefined): number {
    const { now, tasks } = this.#parts.world;
    // What leaves room for classes above it takes none beyond the limit.
    const limits = asked ? this.lanes.limits(lane) : [];
    const fills = ({ task, own }: Picked) =>
      own || limits.every((limit) => this.#mostOf(lane, tasks.priority[task]!, false)(limit) === limit);
    const ahead = picked.every(fills) ? asked : undefined;
    let started = 0;
    const back: number[] = [];
    const passed = new Set(this.#rules.gate?.pass(picked.map(({ task }) => task)) ?? picked.map(({ task }) => task));
    for (const { task, own, overdue } of picked) {
      const rank = tasks.priority[task]!;
      let isStarted = false;
      if (ahead && this.#ahead) {
        isStarted = this.#ahead.take(lane, task, ahead, now + drainMs);
        if (isStarted) this.#count(lane, task);
      } else if (passed.has(task)) {
        const most = own ? (limit: number) => limit : this.#mostOf(lane, rank, false);
        const [cell] = this.#permits.acquire(lane, 1, most, false);
        isStarted = cell !== undefined;
        if (cell !== undefined) this.#start(task, cell, now + drainMs);
      }
      if (isStarted) started += 1;
      else back.push(task);
      if (isStarted && overdue) this.overdue[rank]! += 1;
    }
    const undone = back.filter((task) => passed.has(task));
    if (undone.length > 0) this.#rules.gate?.undo(undone);
    for (const task of back.reverse()) lane.waiting[tasks.priority[task]!]!.unshift(task);
    return started;
  }

  #settle(list: readonly number[]): void {
    const { tasks, now } = this.#parts.world;
    const cells = new Map<string, { lane: Lane; cell: number; ends: CellEnds }>();
    const nexts: (() => void)[] = [];
    for (const task of list) {
      const lane = this.lanes.of(tasks.tenant[task]!);
      const cell = tasks.place[task]!;
      const key = `${lane.tenant}#${cell}`;
      const known = cells.get(key) ?? { lane, cell, ends: { succeeded: 0, heldMs: 0, failed: 0, throttled: [] } };
      cells.set(key, known);
      const end = OUTCOMES[tasks.end[task]!]!;
      if (end === 'succeeded') {
        known.ends.succeeded += 1;
        known.ends.heldMs += now - tasks.claimed[task]!;
      } else if (end === 'throttled') known.ends.throttled.push(tasks.claimed[task]!);
      else known.ends.failed += 1;
      this.#ahead?.settled(lane, task, end === 'throttled');
      nexts.push(() => this.#after(task, end));
    }
    for (const { lane, cell, ends } of cells.values()) {
      this.#permits.release(lane, cell, ends);
      this.#ahead?.goOn(lane, cell);
    }
    for (const next of nexts) next();
    for (const lane of new Set([...cells.values()].map(({ lane }) => lane))) {
      this.#goOnWithRetries(lane);
      if (!hasBacklog(lane)) continue;
      if (this.#rules.start === 'event') {
        if (lane.attendedUntil <= this.#parts.world.now) this.hintLane(lane);
      }
      // The pool of `wait` goes on by itself.
      else this.#drainLater(lane, this.#parts.world.now, () => undefined);
    }
  }

  #after(task: number, end: AttemptEnd): void {
    const { world, metrics } = this.#parts;
    const { tasks } = world;
    const excused = this.#rules.gate?.ended(task, end);
    if (end === 'succeeded') return tasks.remove(task);
    const { retry } = this.#rules;
    if (end === 'throttled' || excused !== undefined) {
      const throttles = Math.min(10, tasks.starts[task]! - tasks.failures[task]!);
      return this.#later(task, excused ?? backoffMs(freeBackoff, throttles, this.#chance.fraction()));
    }
    const failures = tasks.failures[task]! + 1;
    tasks.failures[task] = failures;
    const most = end === 'crashed' ? Math.min(crashes, retry.maxAttempts) : retry.maxAttempts;
    if (failures < most) return this.#later(task, backoffMs(retry, failures, this.#chance.fraction()));
    metrics.groupOf(task).dead += 1;
    tasks.remove(task);
  }

  #later(task: number, ms: number): void {
    const { tasks } = this.#parts.world;
    tasks.sibling[task] = NONE;
    this.queues.send(task, tasks.tenant[task]!, tasks.priority[task]!, ms);
  }

  /** Drops a task that was not started in time. */
  #expired(task: number): boolean {
    const { world, metrics } = this.#parts;
    const { tasks } = world;
    if (tasks.starts[task]! > 0 || tasks.expires[task]! > world.now) return false;
    metrics.groupOf(task).expired += 1;
    tasks.remove(task);
    return true;
  }
}

/** An invocation that works off a lane. */
interface Drain {
  readonly finish: () => void;
  /** ms: it looks for room until then. */
  readonly until: number;
}

function hasBacklog({ waiting }: Lane): boolean {
  return waiting.some(({ size }) => size > 0);
}
