import { placeLaneHints, type PlaceDeps } from '../hints/place.ts';
import type { Lane, Permit, PermitStore } from '../ports/permit-store.ts';
import { expiredPermits, hasBacklog } from './cells.ts';

export interface ReleaseDeps extends PlaceDeps {
  readonly permits: PermitStore;
}

export interface HeldPermit {
  readonly lane: Lane;
  readonly cell: number;
  readonly permit: Permit;
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
        );
        if (hasBacklog(after)) waiting.set(`${lane.tenant}#${lane.type}`, lane);
        const expired = expiredPermits(after, deps.clock.now());
        if (expired.length > 0) await deps.permits.release(lane, cell, expired);
      } catch (error) {
        for (const h of group) failed.set(h, error);
      }
    }),
  );
  await placeLaneHints(deps, [...waiting.values()]);
  return failed;
}
