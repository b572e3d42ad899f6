import { placeLaneHints, type PlaceDeps } from '../hints/place.ts';
import type { Cell, Lane, Permit, PermitStore } from '../ports/permit-store.ts';
import type { TypeRegistry } from '../ports/type-registry.ts';
import { DEFAULT_BUDGET } from '../retry/budget.ts';
import { cellLimits, expiredPermits, hasBacklog, hasRetries, retriesLeft } from './cells.ts';

export interface ReleaseDeps extends PlaceDeps {
  readonly permits: PermitStore;
  readonly types: TypeRegistry;
  /** Whether whoever gives back goes on with the backlog of a lane, so that nobody need be told of it. @default it does not */
  readonly goesOn?: (lane: Lane) => boolean;
}

export interface HeldPermit {
  readonly lane: Lane;
  readonly cell: number;
  readonly permit: Permit;
  /** ms: its attempt succeeded, and began then. */
  readonly aliveAt?: number;
}

/**
 * Gives permits back, one call for each cell, and tells the lanes among them that have a backlog. What has expired in
 * a cell goes with the next call that is made there anyway.
 * @returns the permits that are not known to be given back, with the error of each.
 */
export async function releasePermits(deps: ReleaseDeps, held: readonly HeldPermit[]): Promise<ReadonlyMap<HeldPermit, unknown>> {
  const byCell = new Map<string, HeldPermit[]>();
  for (const h of held) {
    const key = `${h.lane.tenant}#${h.lane.type}#${h.cell}`;
    const list = byCell.get(key);
    if (list) list.push(h);
    else byCell.set(key, [h]);
  }
  const waiting = new Map<string, Lane>();
  const failed = new Map<HeldPermit, unknown>();
  await Promise.all(
    [...byCell.values()].map(async (group) => {
      const first = group[0];
      if (!first) return;
      const { lane, cell } = first;
      try {
        const after = await deps.permits.release(
          lane,
          cell,
          group.map((h) => h.permit),
          latest(group.flatMap((h) => h.aliveAt ?? [])),
        );
        if (await mayGoOn(deps, lane, after)) waiting.set(`${lane.tenant}#${lane.type}`, lane);
        const expired = expiredPermits(after, deps.clock.now());
        if (expired.length > 0) await deps.permits.release(lane, cell, expired);
      } catch (error) {
        for (const h of group) failed.set(h, error);
      }
    }),
  );
  await placeLaneHints(
    deps,
    [...waiting.values()].filter((lane) => deps.goesOn?.(lane) !== true),
  );
  return failed;
}

function latest(times: readonly number[]): number | undefined {
  return times.length === 0 ? undefined : Math.max(...times);
}

/** Retries without budget are not told each time: until there is some, or the next minute. */
async function mayGoOn(deps: ReleaseDeps, lane: Lane, cell: Cell): Promise<boolean> {
  if (hasBacklog(cell)) return true;
  if (!hasRetries(cell)) return false;
  const spec = await deps.types.get(lane.type);
  const cells = cellLimits(spec?.concurrency ?? 1).length;
  return retriesLeft(cell, spec?.retryBudget ?? DEFAULT_BUDGET, cells, deps.clock.now()) > 0;
}
