import type { Clock } from '../ports/clock.ts';
import type { Lane, Permit, PermitStore } from '../ports/permit-store.ts';
import type { Random } from '../ports/random.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import { cellLimits, expiredPermits, livePermits } from './cells.ts';

export interface AcquireDeps {
  readonly permits: PermitStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: Telemetry;
}

/** For each permit the cell that now holds it, or `undefined` where the lane is full. */
export type Acquired = readonly (number | undefined)[];

/**
 * Takes permits of a lane, as many as there is room for, the first ones first. One call when a cell has room for all;
 * a full cell is relieved of its expired permits and asked again for what then fits.
 */
export async function acquirePermits(deps: AcquireDeps, lane: Lane, limit: number, wanted: readonly Permit[]): Promise<Acquired> {
  const limits = cellLimits(limit);
  const cells: (number | undefined)[] = wanted.map(() => undefined);
  const start = Math.floor(deps.random.fraction() * limits.length);
  let taken = 0;
  for (let n = 0; n < limits.length && taken < wanted.length; n++) {
    const cell = (start + n) % limits.length;
    const got = await acquireInCell(deps, lane, { cell, limit: limits[cell] ?? 0, cells: limits.length }, wanted.slice(taken));
    cells.fill(cell, taken, taken + got);
    taken += got;
  }
  return cells;
}

interface Place {
  readonly cell: number;
  readonly limit: number;
  /** How many cells the lane has. */
  readonly cells: number;
}

async function acquireInCell(deps: AcquireDeps, lane: Lane, place: Place, wanted: readonly Permit[]): Promise<number> {
  const { cell, limit } = place;
  let ask = wanted.slice(0, limit);
  // Twice: the second time for what the first answer showed to be free. A race lost then is a full cell.
  for (let tries = 0; tries < 2 && ask.length > 0; tries++) {
    const answer = await deps.permits.acquire(lane, cell, ask, limit);
    const now = deps.clock.now();
    measureUse(deps, lane, place, livePermits(answer.cell, now).length);
    if (answer.granted) return ask.length;
    const expired = expiredPermits(answer.cell, now);
    if (expired.length > 0) await deps.permits.release(lane, cell, expired);
    ask = ask.slice(0, Math.max(0, limit - livePermits(answer.cell, now).length));
  }
  return 0;
}

/** Of the whole lane, from the one cell that has been seen: permits are spread evenly, and another look would cost a read. */
function measureUse({ telemetry }: AcquireDeps, { type }: Lane, { limit, cells }: Place, live: number): void {
  telemetry.measure('lane.use', type, (100 * live) / limit);
  telemetry.measure('lane.in_flight', type, live * cells);
}
