import type { ScheduleRecord } from '@sluice/contracts';
import { minuteOf } from '../hints/timing.ts';
import type { NotedSchedule } from '../ports/schedule-store.ts';
import { isTerminal } from '../tasks/state.ts';
import { dueAt, waiterId, writeChained, type ScheduleDeps } from './arm.ts';
import { rechained } from './change.ts';

/** ms after which an occurrence that was not decided has no task that will: what is only late has come by then. */
const OVERDUE_MS = 180_000;
/** ms that an entry of the directory is left alone although it has no schedule: that may be on its way. */
const ORPHAN_MS = 600_000;
/** Schedules that one tick looks at; where a part of the directory has more they take turns. */
const LOOKED_AT = 500;
const AT_ONCE = 25;

/**
 * Looks at one part of all schedules, another one each minute, and arms those again whose next occurrence is overdue.
 * The chain of tasks keeps itself going; this is for what no task survives, such as the deletion of its row by hand.
 * @returns how many were armed again
 */
export async function repairSchedules(deps: ScheduleDeps, now: number): Promise<number> {
  const { schedules } = deps;
  const minute = minuteOf(now);
  const noted = await schedules.noted(minute % schedules.shards);
  const turns = Math.ceil(noted.length / LOOKED_AT);
  const mine = noted.filter((_, i) => i % turns === Math.floor(minute / schedules.shards) % turns);
  let repaired = 0;
  for (let from = 0; from < mine.length; from += AT_ONCE) {
    const part = await Promise.all(mine.slice(from, from + AT_ONCE).map((one) => repair(deps, one, now)));
    repaired += part.filter(Boolean).length;
  }
  deps.telemetry.count('schedule.repaired', undefined, repaired);
  return repaired;
}

async function repair(deps: ScheduleDeps, noted: NotedSchedule, now: number): Promise<boolean> {
  const { tenant, name } = noted;
  const record = await deps.schedules.get(tenant, name);
  if (!record) {
    if (now - noted.at > ORPHAN_MS) await deps.schedules.forget(noted);
    return false;
  }
  if (record.state === 'paused' || !(isOverdue(record, now) || (await isForgotten(deps, record)))) return false;
  const stamp = { now, nonce: deps.random.nonce(), chain: deps.random.ulid(deps.clock.now()) };
  if (!(await writeChained(deps, rechained(record, stamp), record.seq))) return false;
  deps.telemetry.log('warn', 'a schedule that was overdue is armed again', { tenant, schedule: name, next: record.next });
  return true;
}

function isOverdue(record: ScheduleRecord, now: number): boolean {
  return record.next !== undefined && dueAt(record, record.next) + OVERDUE_MS < now;
}

/** An occurrence waits, and nobody waits with it. */
async function isForgotten(deps: ScheduleDeps, record: ScheduleRecord): Promise<boolean> {
  if (record.waiting === undefined) return false;
  const row = await deps.tasks.get(record.tenant, waiterId(record, record.waiting));
  return row === undefined || isTerminal(row.state);
}
