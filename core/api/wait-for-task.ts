import { LIMITS, type TaskRow, type WaitResponse } from '@sluice/contracts';
import { expiredPermits, livePermits } from '../permits/cells.ts';
import type { Lane, Permit, PermitStore } from '../ports/permit-store.ts';
import type { Random } from '../ports/random.ts';
import type { Timer } from '../ports/timer.ts';
import { hash32 } from '../routing/shuffle-shard.ts';
import { isTerminal } from '../tasks/state.ts';
import { readRow, viewOf, type ReadDeps } from './get-task.ts';

export interface WaitDeps extends ReadDeps {
  readonly permits: PermitStore;
  readonly random: Random;
  readonly timer: Timer;
}

export interface WaitAnswer extends WaitResponse {
  /** Seconds after which to ask again; 0 after a wait of the full time. */
  readonly retryAfterSeconds: number;
}

/** Neither name is one that a tenant or a task type can have. */
const WAITS: Lane = { tenant: '_', type: '_wait' };
/** One tenant's waits at once: half of all, so that no tenant can take every place from the others. */
export const WAITS_PER_TENANT = LIMITS.waitsAtOnce / 2;
/** ms that a place outlives its wait, for the reads around it; a crash keeps it no longer. */
const GRACE_MS = 5_000;
const FIRST_PAUSE_MS = 100;
const LAST_PAUSE_MS = 1_000;

/**
 * Waits until a task is terminal, at most so many seconds (up to 25). Each wait holds a place among
 * {@link LIMITS.waitsAtOnce} for the whole platform: it occupies one execution of a function and reads about once a
 * second. Without a free place the answer comes at once, and the caller polls.
 *
 * @returns the task with its result when it is terminal; else as it is now
 * @throws SluiceError `not_found`, also when the task is deleted meanwhile
 */
export async function waitForTask(deps: WaitDeps, tenant: string, id: string, seconds: number): Promise<WaitAnswer> {
  const row = await readRow(deps, tenant, id);
  if (isTerminal(row.state)) return answer(deps, row, 0);
  // Spread out, so that callers who were turned away together do not come back together.
  const pollSoon = 1 + Math.floor(deps.random.fraction() * 3);
  if (seconds <= 0) return answer(deps, row, pollSoon);
  const until = deps.clock.now() + seconds * 1_000;
  const place = await takePlace(deps, tenant, until + GRACE_MS);
  if (!place) return answer(deps, row, pollSoon);
  try {
    return await answer(deps, await poll(deps, row, until), 0);
  } finally {
    // A place that is not given back expires.
    await deps.permits.release(WAITS, 0, [place]).catch(() => undefined);
  }
}

/** Reads the row again and again until it is terminal or the time is over: most tasks are short, so soon at first. */
async function poll(deps: WaitDeps, first: TaskRow, until: number): Promise<TaskRow> {
  let row = first;
  let pause = FIRST_PAUSE_MS;
  for (let left = until - deps.clock.now(); left > 0 && !isTerminal(row.state); left = until - deps.clock.now()) {
    await deps.timer.sleep(Math.min(pause, left));
    pause = Math.min(LAST_PAUSE_MS, pause * 1.5);
    row = await readRow(deps, first.tenant, first.id);
  }
  return row;
}

async function answer(deps: WaitDeps, row: TaskRow, retryAfterSeconds: number): Promise<WaitAnswer> {
  const done = isTerminal(row.state);
  return { done, task: await viewOf(deps, row, done ? ['result'] : []), retryAfterSeconds };
}

/** A place for this wait, or none: also when it is unknown whether there was one, since a wait is only a convenience. */
async function takePlace(deps: WaitDeps, tenant: string, expiry: number): Promise<Permit | undefined> {
  const now = deps.clock.now();
  // Its tenant stands in front of the nonce; a hash of it, to keep the cell small.
  const ofTenant = `${hash32(tenant).toString(36)}.`;
  const place: Permit = { expiry, nonce: ofTenant + deps.random.nonce() };
  const acquire = () => deps.permits.acquire(WAITS, 0, [place], LIMITS.waitsAtOnce);
  try {
    let { granted, cell } = await acquire();
    const expired = granted ? [] : expiredPermits(cell, now);
    if (expired.length > 0) {
      await deps.permits.release(WAITS, 0, expired);
      ({ granted, cell } = await acquire());
    }
    if (!granted) return undefined;
    if (livePermits(cell, now).filter((permit) => permit.nonce.startsWith(ofTenant)).length <= WAITS_PER_TENANT) return place;
    await deps.permits.release(WAITS, 0, [place]);
  } catch {
    await deps.permits.release(WAITS, 0, [place]).catch(() => undefined);
  }
  return undefined;
}
