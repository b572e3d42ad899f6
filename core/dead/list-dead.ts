import type { DeadFilter, DeadQuery, DeadReason, DeadResponse, DeadTask, TaskRow } from '@sluice/contracts';
import { labelsOf } from '../api/list-filter.ts';
import type { Clock } from '../ports/clock.ts';
import type { DeadList } from '../ports/dead-list.ts';
import type { Hasher } from '../ports/hasher.ts';
import { deadCursorAt, deadPositionOf } from './dead-cursor.ts';
import { rangeOf } from './dead-filter.ts';
import { walkDead } from './walk.ts';

export interface DeadDeps {
  readonly deadTasks: DeadList;
  readonly hasher: Hasher;
  readonly clock: Clock;
}

/** Tasks on a page, where the caller does not say. */
const PAGE = 50;
/** What one call may cost: about a second. Then it answers with what it has found, and a cursor. */
const LOOKS = 2_000;

/**
 * A page of a tenant's dead tasks, the one that failed last first. It may hold fewer than asked for, or none, and yet
 * have a cursor: the call has then looked at as much as one may. A task that failed within the last second may not be
 * there yet.
 *
 * @throws SluiceError `bad_cursor`, `bad_request`, `unavailable`
 */
export async function listDead(deps: DeadDeps, tenant: string, query: DeadQuery): Promise<DeadResponse> {
  const { hasher } = deps;
  const { limit = PAGE, cursor, ...filters } = query;
  const { label, ...rest } = filters;
  const filter: DeadFilter = { ...rest, labels: Object.fromEntries(labelsOf(label ?? [])) };
  const now = deps.clock.now();
  const range = rangeOf(filter, now);
  const position = cursor === undefined ? range.before : deadPositionOf(hasher, tenant, filters, cursor);
  const before = position < range.before ? position : range.before;
  const walk = await walkDead(deps.deadTasks, tenant, filter, { ...range, before }, { wanted: limit, looks: LOOKS }, now);
  return {
    tasks: walk.rows.map(toDeadTask),
    ...(!walk.exhausted && { cursor: deadCursorAt(hasher, tenant, filters, walk.position) }),
  };
}

/** A dead task as it stands on a page: what its row alone tells, without the stack of its error. */
export function toDeadTask(row: TaskRow): DeadTask {
  const { id, uid, tenant, type, priority, attempts, lost, retryOf, redrive } = row;
  return {
    id,
    uid,
    tenant,
    type,
    // Only failures are dead, and these are their reasons.
    ...(row.reason && { reason: row.reason as DeadReason }),
    ...(row.error && { error: { name: row.error.name, message: row.error.message } }),
    priority,
    labels: row.labels ?? {},
    attempts,
    lost,
    acceptedAt: new Date(row.acceptedAt).toISOString(),
    failedAt: new Date(row.endedAt ?? row.acceptedAt).toISOString(),
    ...(retryOf && { retryOf }),
    ...(redrive && { redrive }),
  };
}
