import { isSystemName, SYSTEM_TYPES, type RedriveRecord, type ScheduleRecord, type TaskRow } from '@sluice/contracts';
import { deliveryId } from '../../core/notify/submit-deliveries.ts';
import { toldOf } from '../../core/notify/told.ts';
import { hasEnded } from '../../core/redrive/decide.ts';
import { getRedrive } from '../../core/redrive/operate.ts';
import { nextAfterOf } from '../../core/schedules/change.ts';
import { taskIdOf } from '../../core/schedules/submit-occurrence.ts';
import { TIMEOUT_SECONDS } from '../functions.ts';
import type { Services } from '../services.ts';
import { INDEX_LATE_MS } from '../late-rows.ts';
import { nameOf, SKEW_MS, type Checks, type Violation } from './checks.ts';
import type { End } from './end.ts';

/** ms: as long as a run of the system function lives, with a clock that is ahead. */
const FIRES_MS = TIMEOUT_SECONDS.system * 1000 + 2_000;

type Violated = (kind: Violation['kind'], what: string) => void;

/** What must hold once all is over of what the platform does by tasks of its own. */
export async function checkFeatures(end: End, violated: Violated): Promise<void> {
  const generations = generationsById(end.checks);
  checkDeliveries(end, generations, violated);
  for (const record of end.services.schedules.all()) checkSchedule(record, end.checks, generations, violated);
  await checkRedrives(end.services, end.checks, violated);
}

/** The generations of each task, by its tenant and id, but those that somebody has asked for again. */
function generationsById({ rows, ends }: Checks): ReadonlyMap<string, readonly TaskRow[]> {
  const found = new Map<string, TaskRow[]>();
  for (const row of new Map([...rows, ...ends]).values()) {
    if (row.retryOf !== undefined) continue;
    const key = `${row.tenant}/${row.id}`;
    const same = found.get(key);
    if (same) same.push(row);
    else found.set(key, [row]);
  }
  return found;
}

/** Every end that is to be told has a delivery for each channel, and there are no others: none of a delivery. */
function checkDeliveries(
  { services, checks, struck }: End,
  generations: ReadonlyMap<string, readonly TaskRow[]>,
  violated: Violated,
): void {
  const due = new Set<string>();
  for (const row of checks.ends.values()) {
    const needed = new Set(channelsOf(row, checks, !struck.has('type-gone')));
    for (const channel of channelsOf(row, checks, true)) {
      const key = `${row.tenant}/${deliveryId(row, channel)}`;
      due.add(key);
      if (needed.has(channel) && !generations.has(key) && !checks.purged.has(row.uid)) {
        violated('silence', `${nameOf(row)} ${row.state} is not told by ${channel}`);
      }
    }
  }
  const sent = sentOf(services);
  for (const [key, rows] of generations) {
    const [first] = rows;
    if (first?.type !== SYSTEM_TYPES.notify) continue;
    if (!due.has(key)) violated('other', `the delivery ${key} tells an end that nobody is to be told`);
    if (rows.length > 1) violated('other', `the delivery ${key} was made ${rows.length} times`);
    if (first.state === 'succeeded' && !sent.has(key)) violated('silence', `the delivery ${key} succeeded and nothing was sent`);
  }
}

/** @param ofType whether what its type says counts: while a type is gone, nobody knows what it said */
function channelsOf(row: TaskRow, checks: Checks, ofType: boolean): ('webhook' | 'queue')[] {
  const [spec] = ofType ? checks.specsOf(row.type) : [];
  return toldOf(row, spec?.notify).receivers.map((to) => ('webhook' in to ? 'webhook' : 'queue'));
}

/** Deliveries of which something left the platform. */
function sentOf({ webhooks, notifications }: Services): ReadonlySet<string> {
  const keys = new Set<string>();
  const add = (tenant: string, eventId: string, channel: 'webhook' | 'queue') => {
    const [uid = '', state = ''] = eventId.split(':');
    keys.add(`${tenant}/${deliveryId({ uid, state: state as TaskRow['state'] }, channel)}`);
  };
  for (const { tenant, headers } of webhooks.sent()) add(tenant, headers['webhook-id'] ?? '', 'webhook');
  for (const { tenant, eventId } of notifications.sent()) add(tenant, eventId, 'queue');
  return keys;
}

/** Each occurrence is fired once, and none is left out that its policies do not leave out. */
function checkSchedule(
  record: ScheduleRecord,
  { scheduledAt }: Checks,
  generations: ReadonlyMap<string, readonly TaskRow[]>,
  violated: Violated,
): void {
  const { tenant, name, state, spec, counts, next = Infinity, waiting } = record;
  if (state === 'active') violated('stuck', `the schedule ${tenant}/${name} has not come to its end`);
  const isPaused = state === 'paused';
  // A fire that had read the schedule before it was paused may have fired what was due by its own end, and no more.
  const until = isPaused ? Math.max(next - 1, (scheduledAt.get(`${tenant}/${name}`) ?? 0) + FIRES_MS) : Infinity;
  const nextAfter = nextAfterOf(record);
  const mine = new Set<string>();
  let without = 0;
  for (let at = nextAfter(record.createdAt); at !== undefined && at <= until; at = nextAfter(at)) {
    const key = `${tenant}/${taskIdOf(name, at)}`;
    mine.add(key);
    const fired = generations.get(key)?.length ?? 0;
    if (fired > 1) violated('other', `the occurrence ${key} was fired ${fired} times`);
    // A pause holds what has not been decided and the one that waits: they are owed, and come when it is resumed.
    const isHeld = isPaused && (at >= next || at === waiting);
    if (fired === 0 && !isHeld) without += 1;
  }
  // An occurrence may be refused: its type is gone.
  const left = counts.failed + (spec.overlap === 'allow' ? 0 : counts.skipped);
  if (without > left) violated('lost', `${without} occurrences of ${tenant}/${name} were not fired, of ${left} that need not be`);
  for (const key of generations.keys()) {
    if (key.startsWith(`${tenant}/${name}@`) && !mine.has(key)) violated('other', `${key} is no occurrence of its schedule`);
  }
}

/**
 * A redrive comes to its end or says that it has stalled; what it has redriven is what it counts, each once; and it has come to all
 * that it was to come to.
 */
async function checkRedrives(services: Services, checks: Checks, violated: Violated): Promise<void> {
  const tenants = new Set([...checks.ends.values()].map(({ tenant }) => tenant));
  const rows = [...new Map([...checks.rows, ...checks.ends]).values()];
  for (const tenant of tenants) {
    for (const record of await services.redrives.list(tenant, 100)) {
      const { id, state, redriven } = record;
      const made = rows.filter((row) => row.redrive === id).length;
      if (!hasEnded(record)) {
        const { stalled } = await getRedrive(services, tenant, id);
        if (stalled !== true) violated('stuck', `the redrive ${tenant}/${id} is ${state}`);
      } else if (made !== redriven) violated('other', `the redrive ${tenant}/${id} made ${made} generations of ${redriven}`);
      if (state === 'done') checkReach(record, checks, violated);
    }
  }
}

/**
 * What had failed in time for the index to show it, fits and is dead to this day is what the redrive could not redrive: nobody
 * else has, so it has not skipped it either.
 */
function checkReach(record: RedriveRecord, { rows, endedAt }: Checks, violated: Violated): void {
  const { tenant, id, createdAt, failed, filter = {}, limit, ids } = record;
  const { type, ...others } = filter;
  if (limit !== undefined || ids || Object.keys(others).length > 0) throw new Error(`nothing says what the redrive ${id} is to come to`);
  const left = [...rows.values()].filter(
    (row) =>
      row.tenant === tenant &&
      row.state === 'failed' &&
      (type === undefined ? !isSystemName(row.type) : row.type === type) &&
      (endedAt.get(row.uid) ?? Infinity) < createdAt - INDEX_LATE_MS - SKEW_MS,
  );
  const refused = Object.values(failed).reduce((sum, n) => sum + n, 0);
  if (left.length > refused) {
    violated('lost', `the redrive ${tenant}/${id} could not redrive ${refused} and left ${left.length}: ${left.map(nameOf).join(', ')}`);
  }
}
