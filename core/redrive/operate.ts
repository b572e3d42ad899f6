import {
  type DeadFilter,
  LIMITS,
  type Redrive,
  type RedriveList,
  type RedrivePlan,
  type RedriveQuery,
  type RedriveRecord,
  type RedriveRequest,
  SluiceError,
  type TaskRow,
  uidSchema,
} from '@sluice/contracts';
import canonicalize from 'canonicalize';
import { isDead, rangeOf } from '../dead/dead-filter.ts';
import { toDeadTask } from '../dead/list-dead.ts';
import { walkDead } from '../dead/walk.ts';
import type { RedriveStore } from '../ports/redrive-store.ts';
import { submitSystemTask } from '../system/submit-system-task.ts';
import { isTerminal } from '../tasks/state.ts';
import { hasEnded } from './decide.ts';
import type { RedriveTasksDeps } from './redrive-tasks.ts';
import { sliceOf } from './run-slice.ts';
import { toRedrive } from './view.ts';

export interface RedriveDeps extends RedriveTasksDeps {
  readonly redrives: RedriveStore;
}

const RATE = 50;
const PAGE = 20;
/** Failures that a dry run looks at: about a second or two. */
export const DRY_RUN_LOOKS = 5_000;
const SAMPLE = 10;
/** Redrives of a tenant that are looked at to count those that have not ended: they are kept for 30 days. */
const COUNTED = 1_000;
/** How often others may come first before an operation is refused; each time is somebody's progress. */
const MAX_LOOKS = 8;

/** Says what a redrive would do, and changes nothing. @throws SluiceError `bad_request`, `unavailable` */
export async function planRedrive(deps: RedriveDeps, tenant: string, request: RedriveRequest): Promise<RedrivePlan> {
  const now = deps.clock.now();
  const { rows, more } = request.ids
    ? { rows: (await deps.deadTasks.rows(tenant, request.ids)).filter((row) => isDead(row, now)), more: false }
    : await fitting(deps, tenant, request.filter ?? {}, now);
  return {
    dryRun: true,
    count: Math.min(rows.length, request.limit ?? Infinity),
    more: more && rows.length < (request.limit ?? Infinity),
    byType: countBy(rows, (row) => row.type),
    byError: countBy(rows, (row) => row.error?.name ?? ''),
    sample: rows.slice(0, SAMPLE).map(toDeadTask),
  };
}

async function fitting(deps: RedriveDeps, tenant: string, filter: DeadFilter, now: number) {
  const walk = await walkDead(deps.deadTasks, tenant, filter, rangeOf(filter, now), { wanted: Infinity, looks: DRY_RUN_LOOKS }, now);
  return { rows: walk.rows, more: !walk.exhausted };
}

function countBy(rows: readonly TaskRow[], nameOf: (row: TaskRow) => string): Record<string, number> {
  const counts = new Map<string, number>();
  for (const row of rows) counts.set(nameOf(row), (counts.get(nameOf(row)) ?? 0) + 1);
  return Object.fromEntries(counts);
}

/**
 * Begins a redrive; its slices do the work. Repeatable with an `id`: a repeat finds the redrive, and makes sure that it
 * is driven. @throws SluiceError `bad_request`, `id_conflict`, `too_many_redrives`, `unavailable`
 */
export async function createRedrive(deps: RedriveDeps, tenant: string, request: RedriveRequest): Promise<Redrive> {
  const now = deps.clock.now();
  const { id = deps.random.ulid(now), ...asked } = request;
  const hash = deps.hasher.sha256(canonicalize(asked) ?? '');
  const found = await deps.redrives.get(tenant, id);
  if (found) return repeated(deps, found, hash);
  if (request.filter) rangeOf(request.filter, now);
  const open = (await deps.redrives.list(tenant, COUNTED)).filter((each) => !hasEnded(each)).length;
  if (open >= LIMITS.redrives) {
    throw new SluiceError(
      'too_many_redrives',
      `tenant ${tenant} has ${open} redrives that have not ended, of at most ${LIMITS.redrives}; wait for one to end, or cancel one`,
      { details: { open, limit: LIMITS.redrives } },
    );
  }
  const record = newRecord(tenant, id, request, hash, now, deps.random.nonce());
  if (!(await deps.redrives.insert(record))) {
    const other = await deps.redrives.get(tenant, id);
    if (other) return repeated(deps, other, hash);
    throw new SluiceError('unavailable', `the redrive ${id} could not be stored; send it again with the same id`);
  }
  await submitSystemTask(deps, tenant, sliceOf(id, 1));
  return toRedrive(record);
}

/** A share as a table can hold it: DynamoDB refuses numbers next to zero (below 1e-130), which no wave can tell from it. */
function storable(share: number): number {
  return Math.round(share * 1e9) / 1e9;
}

function newRecord(tenant: string, id: string, request: RedriveRequest, hash: string, now: number, nonce: string): RedriveRecord {
  const { filter, ids, canary, limit, ratePerSecond = RATE } = request;
  return {
    v: 1,
    tenant,
    id,
    version: 0,
    hash,
    ratePerSecond,
    ...(filter && { filter }),
    ...(ids && { ids: [...new Set(ids)] }),
    ...(canary && { canary: { ...canary, maxFailureShare: storable(canary.maxFailureShare) } }),
    ...(limit !== undefined && { limit }),
    state: canary ? 'canary' : 'running',
    slice: 0,
    run: '',
    nonce,
    page: [],
    exhausted: false,
    scanned: 0,
    matched: 0,
    redriven: 0,
    skipped: 0,
    failed: {},
    createdAt: now,
    updatedAt: now,
  };
}

async function repeated(deps: RedriveDeps, found: RedriveRecord, hash: string): Promise<Redrive> {
  if (found.hash !== hash) {
    throw new SluiceError('id_conflict', `redrive ${found.id} exists and was asked for otherwise; give this one another id`, {
      details: { state: found.state },
    });
  }
  // Whoever made it may have died before its first slice.
  if (found.slice === 0 && !hasEnded(found)) await submitSystemTask(deps, found.tenant, sliceOf(found.id, 1));
  return toRedrive(found);
}

/** A redrive as it stands. @throws SluiceError `not_found` */
export async function getRedrive(deps: RedriveDeps, tenant: string, id: string): Promise<Redrive> {
  return shown(deps, await read(deps, tenant, id));
}

/** A page of a tenant's redrives, the newest first. */
export async function listRedrives(deps: RedriveDeps, tenant: string, { limit = PAGE, cursor }: RedriveQuery): Promise<RedriveList> {
  const records = await deps.redrives.list(tenant, limit, cursor);
  const last = records.at(-1);
  return {
    redrives: await Promise.all(records.map((record) => shown(deps, record))),
    ...(records.length === limit && last && { cursor: last.id }),
  };
}

/** Ends a redrive: what has been redriven stays so. Repeatable. @throws SluiceError `not_found`, `state_conflict`, `unavailable` */
export async function cancelRedrive(deps: RedriveDeps, tenant: string, id: string): Promise<Redrive> {
  return change(deps, tenant, id, (record, now) => {
    if (record.state === 'cancelled') return undefined;
    return { ...open(record), state: 'cancelled', endedAt: now };
  });
}

/** Holds a redrive up until it is resumed, after the page that it is at. Repeatable. @throws as {@link cancelRedrive} */
export async function pauseRedrive(deps: RedriveDeps, tenant: string, id: string): Promise<Redrive> {
  return change(deps, tenant, id, (record) => {
    const { state } = open(record);
    return state === 'paused' ? undefined : { ...record, state: 'paused', pausedIn: state === 'canary' ? 'canary' : 'running' };
  });
}

/** Lets a redrive go on that is paused, or that has stalled. Repeatable. @throws as {@link cancelRedrive} */
export async function resumeRedrive(deps: RedriveDeps, tenant: string, id: string): Promise<Redrive> {
  const resumed = await change(deps, tenant, id, (record) => {
    const { pausedIn, ...rest } = open(record);
    return record.state === 'paused' ? { ...rest, state: pausedIn ?? 'running' } : undefined;
  });
  const { slice } = await read(deps, tenant, id);
  // A later slice takes over, whatever has become of the present one.
  await submitSystemTask(deps, tenant, sliceOf(id, slice + 1));
  const { stalled: _, ...driven } = resumed;
  return driven;
}

function open(record: RedriveRecord): RedriveRecord {
  if (!hasEnded(record)) return record;
  throw new SluiceError('state_conflict', `redrive ${record.id} has ended as ${record.state}; begin another one`, {
    details: { state: record.state },
  });
}

async function change(
  deps: RedriveDeps,
  tenant: string,
  id: string,
  decide: (record: RedriveRecord, now: number) => RedriveRecord | undefined,
): Promise<Redrive> {
  for (let look = 0; look < MAX_LOOKS; look++) {
    const record = await read(deps, tenant, id);
    const now = deps.clock.now();
    const changed = decide(record, now);
    if (!changed) return shown(deps, record);
    const next = { ...changed, version: record.version + 1, nonce: deps.random.nonce(), updatedAt: now };
    if (await deps.redrives.replace(next)) return toRedrive(next);
  }
  throw new SluiceError('unavailable', `redrive ${id} changed ${MAX_LOOKS} times meanwhile; call again`);
}

async function read(deps: RedriveDeps, tenant: string, id: string): Promise<RedriveRecord> {
  const record = uidSchema.safeParse(id).success ? await deps.redrives.get(tenant, id) : undefined;
  if (record) return record;
  throw new SluiceError('not_found', `there is no redrive "${id.slice(0, 200)}"; it never was, or it has been deleted`);
}

/** With a look at its slice: one that has failed for good drives nothing. */
async function shown(deps: RedriveDeps, record: RedriveRecord): Promise<Redrive> {
  if (hasEnded(record) || record.state === 'paused') return toRedrive(record);
  const { tenant, id, slice } = record;
  const [next, present] = await Promise.all([slice + 1, slice].map((n) => deps.tasks.get(tenant, sliceOf(id, n).id)));
  const isDriven = [next, present].some((row) => row && !isTerminal(row.state));
  // A slice ends once the next one is there: between the two looks it may have gone on.
  const hasGoneOn = !isDriven && (await deps.redrives.get(tenant, id))?.version !== record.version;
  return { ...toRedrive(record), ...(!isDriven && !hasGoneOn && { stalled: true }) };
}
