import type { Quota } from '@sluice/contracts';
import { divide, type Claimant } from '../limits/divide.ts';
import type { DividedLane } from './world.ts';
import { laneKey } from '../permits/lane-key.ts';

/** How a lane stands. */
export interface Standing extends DividedLane {
  /** Attempts at once of each of its cells, as they are, or more where that is not known to be written. */
  readonly shares: readonly number[];
  /** Permits that each of its cells holds. */
  readonly held: readonly number[];
  /** Attempts at once that it could use now. */
  readonly demand: number;
  /** What it may use at most, were there nobody else. */
  readonly cap: number;
  /** Something of what its cells say has to be written anew, whatever its share. */
  readonly stale: boolean;
}

/** What a lane shall have. */
export interface Target {
  readonly standing: Standing;
  /** It must have that much: less than it has is a reason to raise its share. */
  readonly needed: number;
  /** What its share becomes if it has to change. */
  readonly share: number;
}

/** What each lane shall have of the capacities that it draws on. */
export function targetsOf(lanes: readonly Standing[], quotas: ReadonlyMap<string, Quota>, turn: number): readonly Target[] {
  const own = lanes.filter(({ entry }) => entry === undefined);
  const guaranteed = guarantees(own, quotas);
  const parts = divide(
    own.map((standing): Claimant => ({
      key: laneKey(standing.lane),
      weight: standing.weight,
      demand: standing.demand,
      cap: standing.cap,
      guaranteed: guaranteed.get(standing) ?? 0,
      pools: standing.capacities.map(({ divided }) => divided),
    })),
    turn,
  );
  const entries = lanes.flatMap((standing) =>
    standing.entry === undefined ? [] : [{ standing, needed: standing.entry, share: standing.entry }],
  );
  return [...entries, ...own.map((standing, i) => ({ standing, needed: parts[i]?.needed ?? 0, share: parts[i]?.share ?? 0 }))];
}

/** A tenant is guaranteed so much over all of its lanes: it is divided among those that need it. */
function guarantees(lanes: readonly Standing[], quotas: ReadonlyMap<string, Quota>): ReadonlyMap<Standing, number> {
  const byTenant = new Map<string, Standing[]>();
  for (const standing of lanes) {
    const { tenant } = standing.lane;
    if (quotas.get(tenant)?.guaranteed === undefined) continue;
    byTenant.set(tenant, [...(byTenant.get(tenant) ?? []), standing]);
  }
  const all = new Map<Standing, number>();
  for (const [tenant, of] of byTenant) {
    const pool = { capacity: quotas.get(tenant)?.guaranteed ?? 0 };
    const parts = divide(
      of.map((standing) => ({ key: laneKey(standing.lane), demand: standing.demand, pools: [pool] })),
      0,
    );
    of.forEach((standing, i) => all.set(standing, parts[i]?.needed ?? 0));
  }
  return all;
}

export function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, n) => sum + n, 0);
}

/** What a lane takes of its capacities, whatever its cells are told from now on: what they may have, or hold if that is more. */
export function takenBy(shares: readonly number[], held: readonly number[]): number {
  return Array.from({ length: Math.max(shares.length, held.length) }, (_, cell) => Math.max(shares[cell] ?? 0, held[cell] ?? 0)).reduce(
    (sum, n) => sum + n,
    0,
  );
}
