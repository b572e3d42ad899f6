import { systemId, SYSTEM_TYPES, SluiceError, type FirePayload, type ScheduleRecord } from '@sluice/contracts';
import { decodeTime } from 'ulid';
import type { ScheduleStore } from '../ports/schedule-store.ts';
import type { AcceptDeps, SubmitDeps } from '../submit/put-row.ts';
import { submitSystemTask } from '../system/submit-system-task.ts';
import { jitterOf } from './times.ts';

export interface ScheduleDeps extends AcceptDeps {
  readonly schedules: ScheduleStore;
}

/** The same for whoever submits an occurrence's task. */
export interface OccurrenceDeps extends ScheduleDeps, SubmitDeps {}

/** A fire that finds no schedule of its chain is kept this long after the chain was made: its schedule may be on its way. */
export const CHAIN_YOUNG_MS = 60_000;
/** So long after its chain was made a schedule may be written, so that no fire has given up waiting for it. */
const CHAIN_WRITTEN_MS = 30_000;
/** A task can't be submitted for any time ahead; what is further away goes in legs. */
const LEG_MS = 365 * 86_400_000;

type Chained = Pick<ScheduleRecord, 'tenant' | 'name' | 'chain' | 'spec'>;

/** When an occurrence comes, ms: its time and its jitter. */
export function dueAt({ tenant, name, spec }: Pick<ScheduleRecord, 'tenant' | 'name' | 'spec'>, at: number): number {
  return at + jitterOf(tenant, name, at, spec.jitterSeconds);
}

export function isYoung(chain: string, now: number): boolean {
  return now - decodeTime(chain) < CHAIN_YOUNG_MS;
}

/** Submits the task that fires an occurrence. Repeatable: its id is that of the occurrence. */
export async function armFire(deps: ScheduleDeps, schedule: Chained, at: number): Promise<void> {
  const due = dueAt(schedule, at);
  const legs = Math.max(0, Math.ceil((due - deps.clock.now()) / LEG_MS) - 1);
  const { tenant, name, chain } = schedule;
  const payload: FirePayload = { v: 1, name, chain, at, ...(legs > 0 && { legs }) };
  await submitSystemTask(deps, tenant, {
    type: SYSTEM_TYPES.fire,
    id: systemId('fire', name, chain, at.toString(36), ...(legs > 0 ? [String(legs)] : [])),
    payload,
    at: due - legs * LEG_MS,
  });
}

export function waiterId({ name, chain }: Pick<ScheduleRecord, 'name' | 'chain'>, at: number): string {
  return systemId('wait', name, chain, at.toString(36));
}

/** Submits the task that waits with an occurrence for the end of an earlier one. */
export async function armWaiter(deps: ScheduleDeps, schedule: Chained, at: number): Promise<void> {
  const { tenant, name, chain } = schedule;
  const payload: FirePayload = { v: 1, name, chain, at, waits: true };
  await submitSystemTask(deps, tenant, { type: SYSTEM_TYPES.fire, id: waiterId(schedule, at), payload });
}

/**
 * Writes a schedule that has a new chain: its tasks first, then the schedule, so that no stored schedule is ever without
 * the task that fires it. @returns whether it was written; false when another write came first
 */
export async function writeChained(deps: ScheduleDeps, record: ScheduleRecord, seq: number | undefined): Promise<boolean> {
  if (record.state !== 'paused') {
    if (record.next !== undefined) await armFire(deps, record, record.next);
    if (record.waiting !== undefined) await armWaiter(deps, record, record.waiting);
  }
  if (deps.clock.now() - decodeTime(record.chain) > CHAIN_WRITTEN_MS) {
    throw new SluiceError('unavailable', `schedule ${record.name} could not be written in time; call again`);
  }
  return (await deps.schedules.put(record.tenant, record, seq)).applied;
}
