import { randomUUID } from 'node:crypto';
import { ACCOUNT, arnOf, REGION } from '../account.ts';
import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { LogSink } from '../log.ts';
import type { HostState } from '../state.ts';
import { parseScheduleExpression, type ScheduleTimes } from './expression.ts';
import { dateOf, type ScheduleDefinition, type StoredSchedule } from './schedule.ts';

/** Delivers to a schedule's target. */
export type SendToTarget = (arn: string, body: string, target: ScheduleDefinition['Target']) => Promise<void>;

const KIND = 'schedule';

/** Waits between attempts at a target that refuses, in milliseconds; then the dead-letter queue. */
const RETRY_DELAYS_MS = [1000, 5000];

/**
 * Fires schedules at their times. A time that passed while no host ran fires late for one-time schedules and is left
 * out for repeating ones.
 */
export class Scheduler {
  private readonly state: HostState;
  private readonly clock: Clock;
  private readonly send: SendToTarget;
  private readonly log: LogSink;
  private readonly schedules = new Map<string, StoredSchedule>();
  private readonly timers = new Map<string, () => void>();
  private readonly confirmed = new Set<string>();
  private started = false;
  private closed = false;

  constructor(options: { state: HostState; clock: Clock; send: SendToTarget; log: LogSink }) {
    this.state = options.state;
    this.clock = options.clock;
    this.send = options.send;
    this.log = options.log;
    for (const { id, value } of this.state.list(KIND)) this.schedules.set(id, JSON.parse(value) as StoredSchedule);
  }

  /** Begins to fire, without what an earlier start's templates had and this one's have not. */
  start(): void {
    this.started = true;
    for (const [key, { fromTemplate, definition }] of this.schedules) {
      if (fromTemplate && !this.confirmed.has(key)) this.delete(definition.GroupName, definition.Name);
    }
    for (const [key, schedule] of this.schedules) {
      // What an earlier process had due and did not bring to its target.
      for (const due of schedule.pending ?? []) void this.fire(key, schedule, due);
      this.arm(key);
    }
  }

  close(): void {
    this.closed = true;
    for (const cancel of this.timers.values()) cancel();
    this.timers.clear();
  }

  get(group: string, name: string): StoredSchedule | undefined {
    return this.schedules.get(keyOf(group, name));
  }

  list(): StoredSchedule[] {
    return [...this.schedules.values()];
  }

  /** Creates or replaces a schedule; an expression that cannot be read is refused. */
  put(definition: ScheduleDefinition, fromTemplate: boolean): StoredSchedule {
    const key = keyOf(definition.GroupName, definition.Name);
    const existing = this.schedules.get(key);
    const now = this.clock.now();
    const stored: StoredSchedule = {
      definition,
      createdAt: existing?.createdAt ?? now,
      modifiedAt: now,
      firedFor: existing?.definition.ScheduleExpression === definition.ScheduleExpression ? existing.firedFor : 0,
      ...(existing?.pending !== undefined && { pending: existing.pending }),
      fromTemplate,
    };
    timesOf(stored);
    this.confirmed.add(key);
    this.schedules.set(key, stored);
    this.state.put(KIND, key, JSON.stringify(stored));
    this.arm(key);
    return stored;
  }

  delete(group: string, name: string): boolean {
    const key = keyOf(group, name);
    this.timers.get(key)?.();
    this.timers.delete(key);
    this.state.delete(KIND, key);
    return this.schedules.delete(key);
  }

  private arm(key: string): void {
    this.timers.get(key)?.();
    this.timers.delete(key);
    const schedule = this.schedules.get(key);
    if (schedule === undefined || !this.started || this.closed || schedule.definition.State === 'DISABLED') return;
    const due = this.nextOf(schedule);
    if (due === undefined) return this.complete(key, schedule);
    const cancel = this.clock.after(due - this.clock.now(), () => {
      // A timer may come a moment early; the next time is asked for after the one that is due.
      schedule.firedFor = due;
      schedule.pending = [...(schedule.pending ?? []), due];
      this.state.put(KIND, key, JSON.stringify(schedule));
      void this.fire(key, schedule, due);
      this.arm(key);
    });
    this.timers.set(key, cancel);
  }

  private nextOf(schedule: StoredSchedule): number | undefined {
    const { definition, firedFor } = schedule;
    const times = timesOf(schedule);
    const from = times.isOneTime ? firedFor : Math.max(firedFor, this.clock.now(), (dateOf(definition.StartDate) ?? 0) - 1);
    const due = times.next(from);
    const end = times.isOneTime ? undefined : dateOf(definition.EndDate);
    return due === undefined || (end !== undefined && due > end) ? undefined : due;
  }

  private complete(key: string, schedule: StoredSchedule): void {
    // Not before its target has its last time.
    if (schedule.definition.ActionAfterCompletion !== 'DELETE' || (schedule.pending ?? []).length > 0) return;
    this.schedules.delete(key);
    this.state.delete(KIND, key);
  }

  private async fire(key: string, schedule: StoredSchedule, due: number): Promise<void> {
    await this.bring(schedule, due);
    // It may have been replaced or deleted meanwhile.
    const current = this.schedules.get(key);
    if (this.closed || current === undefined) return;
    current.pending = (current.pending ?? []).filter((time) => time !== due);
    this.state.put(KIND, key, JSON.stringify(current));
    if (current.definition.State !== 'DISABLED' && this.nextOf(current) === undefined) this.complete(key, current);
  }

  private async bring(schedule: StoredSchedule, due: number): Promise<void> {
    const { Target: target, Name, GroupName } = schedule.definition;
    const arn = scheduleArn(GroupName, Name);
    const executionId = randomUUID();
    for (let attempt = 0; !this.closed; attempt += 1) {
      const context = { due, executionId, attempt: attempt + 1, arn };
      const body = target.Input === undefined ? defaultInput(context) : withContext(target.Input, context);
      try {
        return await this.send(target.Arn, body, target);
      } catch (error) {
        const delay = RETRY_DELAYS_MS[attempt];
        if (delay !== undefined) {
          await new Promise<void>((resolve) => this.clock.after(delay, resolve));
          continue;
        }
        this.log({ level: 'error', source: 'scheduler', message: `${arn} could not reach ${target.Arn}: ${messageOf(error)}` });
        const deadLetters = target.DeadLetterConfig?.Arn;
        if (deadLetters !== undefined) await this.send(deadLetters, body, { Arn: deadLetters }).catch(() => undefined);
        return;
      }
    }
  }
}

function timesOf(schedule: StoredSchedule): ScheduleTimes {
  const { ScheduleExpression, ScheduleExpressionTimezone = 'UTC', StartDate } = schedule.definition;
  const anchor = dateOf(StartDate) ?? (schedule.fromTemplate ? 0 : schedule.createdAt);
  return parseScheduleExpression(ScheduleExpression, ScheduleExpressionTimezone, anchor);
}

export function scheduleArn(group: string, name: string): string {
  return arnOf('scheduler', `schedule/${group}/${name}`);
}

function keyOf(group: string, name: string): string {
  return `${group}/${name}`;
}

interface FireContext {
  /** The time that was due, in milliseconds. */
  due: number;
  executionId: string;
  attempt: number;
  arn: string;
}

/** https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html */
function withContext(input: string, context: FireContext): string {
  return input
    .replaceAll('<aws.scheduler.schedule-arn>', context.arn)
    .replaceAll('<aws.scheduler.scheduled-time>', isoSeconds(context.due))
    .replaceAll('<aws.scheduler.execution-id>', context.executionId)
    .replaceAll('<aws.scheduler.attempt-number>', String(context.attempt));
}

function defaultInput(context: FireContext): string {
  return JSON.stringify({
    version: '0',
    id: context.executionId,
    'detail-type': 'Scheduled Event',
    source: 'aws.scheduler',
    account: ACCOUNT,
    time: isoSeconds(context.due),
    region: REGION,
    resources: [context.arn],
    detail: '{}',
  });
}

function isoSeconds(time: number): string {
  return `${new Date(time).toISOString().slice(0, 19)}Z`;
}
