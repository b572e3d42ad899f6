import {
  LIMITS,
  scheduleNameSchema,
  SluiceError,
  type Accepted,
  type Preview,
  type ScheduleList,
  type ScheduleListQuery,
  type ScheduleRecord,
  type ScheduleView,
} from '@sluice/contracts';
import { viewState } from '../api/view.ts';
import { writeChained, type OccurrenceDeps, type ScheduleDeps } from './arm.ts';
import { nextAfterOf, pausedRecord, resumedRecord, wantedRecord, type Stamp } from './change.ts';
import { checkName, checkPreview, checkSchedule } from './check.ts';
import { ledgerOf } from './ledger.ts';
import { submitNow } from './submit-occurrence.ts';
import { localTime, nextTimes, occurrencesOf, type NextAfter } from './times.ts';
import { toScheduleView } from './view.ts';

/** How often others may come first before a call is refused. */
const MAX_LOOKS = 8;
const PAGE = 50;
const PREVIEWED = 5;

function stampOf({ clock, random }: ScheduleDeps): Stamp {
  const now = clock.now();
  return { now, nonce: random.nonce(), chain: random.ulid(now) };
}

function tooOften(name: string): SluiceError {
  return new SluiceError('unavailable', `schedule ${name} changed ${MAX_LOOKS} times meanwhile; call again`);
}

/** @throws SluiceError `not_found` */
async function readSchedule(deps: Pick<ScheduleDeps, 'schedules'>, tenant: string, name: string): Promise<ScheduleRecord> {
  const record = scheduleNameSchema.safeParse(name).success ? await deps.schedules.get(tenant, name) : undefined;
  if (record) return record;
  throw new SluiceError('not_found', `there is no schedule "${name.slice(0, 100)}"; it never was, or it has been deleted`);
}

/**
 * Makes a schedule, or changes it to be as it is given. Repeating the call changes nothing.
 * @throws SluiceError `bad_request`, `unknown_type`, `payload_too_large`, `too_many_schedules`, `unavailable`
 */
export async function putSchedule(
  deps: ScheduleDeps,
  tenant: string,
  name: string,
  input: unknown,
): Promise<{ readonly schedule: ScheduleView; readonly isNew: boolean }> {
  checkName(name);
  const { spec, paused } = await checkSchedule(deps.types, input, deps.clock.now());
  for (let look = 0; look < MAX_LOOKS; look++) {
    const old = await deps.schedules.get(tenant, name);
    const wished = wantedRecord(old, { tenant, name, spec, paused }, stampOf(deps));
    if (old && !wished) return { schedule: await viewOf(deps, old), isNew: false };
    if (!wished) continue;
    const { record } = wished;
    if (!old) {
      await leaveRoom(deps, tenant);
      // First: a schedule that nobody could find again would not be repaired.
      await deps.schedules.note(tenant, name, record.createdAt);
    }
    if (!(await writeChained(deps, record, old?.seq))) continue;
    wished.tell(deps.telemetry);
    return { schedule: await viewOf(deps, record), isNew: old === undefined };
  }
  throw tooOften(name);
}

async function leaveRoom({ schedules }: ScheduleDeps, tenant: string): Promise<void> {
  if ((await schedules.count(tenant, LIMITS.schedules)) < LIMITS.schedules) return;
  throw new SluiceError(
    'too_many_schedules',
    `tenant ${tenant} has ${LIMITS.schedules} schedules of at most ${LIMITS.schedules}; delete those that are not used`,
    { details: { limit: LIMITS.schedules } },
  );
}

/** @throws SluiceError `not_found` */
export async function getSchedule(deps: ScheduleDeps, tenant: string, name: string): Promise<ScheduleView> {
  return viewOf(deps, await readSchedule(deps, tenant, name));
}

async function viewOf(deps: ScheduleDeps, record: ScheduleRecord): Promise<ScheduleView> {
  const ids = [...new Set(record.recent.flatMap(({ task }) => task ?? []))];
  const rows = await Promise.all(ids.map((id) => deps.tasks.get(record.tenant, id)));
  const states = new Map(rows.flatMap((row) => (row ? [[row.id, viewState(row)] as const] : [])));
  return toScheduleView(record, deps.clock.now(), (task) => states.get(task));
}

/** A page of a tenant's schedules by name. @throws SluiceError `bad_cursor` */
export async function listSchedules(deps: ScheduleDeps, tenant: string, query: ScheduleListQuery): Promise<ScheduleList> {
  const { limit = PAGE, cursor } = query;
  const found = await deps.schedules.list(tenant, cursor === undefined ? undefined : nameOf(cursor), limit + 1);
  const page = found.slice(0, limit);
  const last = page.at(-1);
  const now = deps.clock.now();
  return {
    schedules: page.map((record) => toScheduleView(record, now)),
    ...(found.length > limit && last && { cursor: `1.${last.name}` }),
  };
}

/** A cursor is its version and the name that the page before ended with: it gives no right, the tenant is the caller's. */
function nameOf(cursor: string): string {
  const [, name] = /^1\.(.*)$/.exec(cursor) ?? [];
  if (name !== undefined && scheduleNameSchema.safeParse(name).success) return name;
  throw new SluiceError('bad_cursor', 'the cursor is not one of this list; send it as it was given, or begin anew without it');
}

/** Deletes a schedule. Tasks that it has submitted stay. @throws SluiceError `not_found`, `unavailable` */
export async function deleteSchedule(deps: ScheduleDeps, tenant: string, name: string): Promise<void> {
  for (let look = 0; look < MAX_LOOKS; look++) {
    const { seq } = await readSchedule(deps, tenant, name);
    if (await deps.schedules.remove(tenant, name, seq)) return;
  }
  throw tooOften(name);
}

/** Repeatable. @throws SluiceError `not_found`; `state_conflict` for one that has ended; `unavailable` */
export async function pauseSchedule(deps: ScheduleDeps, tenant: string, name: string): Promise<ScheduleView> {
  for (let look = 0; look < MAX_LOOKS; look++) {
    const old = await readSchedule(deps, tenant, name);
    const record = pausedRecord(old, stampOf(deps));
    if (!record) return viewOf(deps, old);
    if ((await deps.schedules.put(tenant, record, old.seq)).applied) return viewOf(deps, record);
  }
  throw tooOften(name);
}

/** Repeatable. @throws SluiceError `not_found`; `state_conflict` for one that has ended; `unavailable` */
export async function resumeSchedule(deps: ScheduleDeps, tenant: string, name: string): Promise<ScheduleView> {
  for (let look = 0; look < MAX_LOOKS; look++) {
    const old = await readSchedule(deps, tenant, name);
    const record = resumedRecord(old, stampOf(deps));
    if (!record) return viewOf(deps, old);
    if (await writeChained(deps, record, old.seq)) return viewOf(deps, record);
  }
  throw tooOften(name);
}

/**
 * Submits the task of a schedule now, whatever its state and its overlap policy. Later occurrences see it as one of theirs.
 * @param id of the task; with it the call may be repeated
 * @throws SluiceError `not_found`, and as a submission does
 */
export async function runSchedule(deps: OccurrenceDeps, tenant: string, name: string, id: string | undefined): Promise<Accepted> {
  const record = await readSchedule(deps, tenant, name);
  const accepted = await submitNow(deps, record, id ?? `${name}@${deps.random.ulid(deps.clock.now())}`);
  await noteRun(deps, record, accepted.id).catch((error: unknown) => {
    // It runs all the same.
    deps.telemetry.log('warn', 'a run of a schedule is not noted', { tenant, schedule: name, task: accepted.id, error });
  });
  return accepted;
}

async function noteRun(deps: ScheduleDeps, first: ScheduleRecord, task: string): Promise<void> {
  let record: ScheduleRecord | undefined = first;
  for (let look = 0; look < MAX_LOOKS && record; look++) {
    if (record.recent.some((one) => one.task === task)) return;
    const now = deps.clock.now();
    const ledger = ledgerOf(record, now);
    ledger.note({ at: now, did: 'run', task });
    const written = await deps.schedules.put(
      record.tenant,
      { ...ledger.written(deps.random.nonce(), record.next), state: record.state },
      record.seq,
    );
    if (written.applied) return;
    record = written.found;
  }
}

/** The next times of a schedule. @throws SluiceError `not_found` */
export async function previewSchedule(deps: ScheduleDeps, tenant: string, name: string, n: number | undefined): Promise<Preview> {
  const record = await readSchedule(deps, tenant, name);
  return preview(nextAfterOf(record), record.spec.timezone, deps.clock.now(), n);
}

/** The times of a schedule that is not stored. @throws SluiceError `bad_request` */
export function previewTimes(deps: Pick<ScheduleDeps, 'clock'>, input: unknown): Preview {
  const now = deps.clock.now();
  const { timing, request } = checkPreview(input, now);
  return preview(occurrencesOf(timing), timing.timezone, now, request.n);
}

function preview(nextAfter: NextAfter, timezone: string, now: number, n = PREVIEWED): Preview {
  const times = nextTimes(nextAfter, now, n);
  return { times: times.map((at) => ({ at: new Date(at).toISOString(), local: localTime(at, timezone) })) };
}
