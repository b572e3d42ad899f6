import type { Quota } from '@sluice/contracts';
import { divide, type Claimant } from '../limits/divide.ts';
import { poolDemand } from '../limits/entry.ts';
import type { DividedLane } from './world.ts';
import { laneKey } from '../permits/lane-key.ts';
import type { Cell } from '../ports/permit-store.ts';

/** How a lane stands. */
export interface Standing extends DividedLane {
  /** Attempts at once of each of its cells, as they are, or more where that is not known to be written. */
  readonly shares: readonly number[];
  /** Permits that each of its cells holds. */
  readonly held: readonly number[];
  /** Its first cell, where it was read. */
  readonly first?: Cell | undefined;
  /** Hints in its backlog that could start; infinite where they are too many to count. */
  readonly waits: number;
  /** Attempts at once that it could use now. */
  readonly demand: number;
  /** Permits that it holds in the entry pool; of an entry pool, tenants that hold any. */
  readonly entered: number;
  /** What it may use at most, were there nobody else. */
  readonly cap: number;
  /** It has no share, for it draws on the entry pool. */
  readonly small: boolean;
  /** It has next to no work: after a while it gives its share back. */
  readonly rests: boolean;
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

/**
 * What each lane shall have of the capacities that it draws on. Small lanes have no share: they are one claimant with the weight of
 * all of them, the entry pool of their type.
 */
export function targetsOf(lanes: readonly Standing[], quotas: ReadonlyMap<string, Quota>, turn: number): readonly Target[] {
  const own = lanes.filter(({ entry, small }) => entry === undefined && !small);
  const pools = lanes.filter(({ entry }) => entry !== undefined).map((pool) => poolClaim(pool, lanes));
  const guaranteed = guarantees(own, quotas);
  const claimOf = (standing: Standing, rest: Pick<Claimant, 'weight' | 'demand' | 'cap' | 'guaranteed'>): Claimant => ({
    key: laneKey(standing.lane),
    pools: standing.capacities.map(({ divided }) => divided),
    ...rest,
  });
  const dividedAmong = (asks: (standing: Standing) => boolean) =>
    divide(
      [
        ...pools.map(({ pool, weight, demand, kept }) => claimOf(pool, { weight, demand: Math.max(0, demand - kept), cap: pool.cap })),
        ...own.map((standing) =>
          claimOf(
            standing,
            asks(standing)
              ? { weight: standing.weight, demand: standing.demand, cap: standing.cap, guaranteed: guaranteed.get(standing) ?? 0 }
              : { weight: standing.weight, demand: 0, cap: 0, guaranteed: 0 },
          ),
        ),
      ],
      turn,
    );
  const all = dividedAmong(() => true);
  // What a lane without work keeps for a while is not kept from one that has work and would have nothing.
  const isStarved = own.some((standing, i) => !isIdle(standing) && standing.demand > 0 && (all[pools.length + i]?.needed ?? 0) === 0);
  const parts = isStarved && own.some(isIdle) ? dividedAmong((standing) => !isIdle(standing)) : all;
  const none = { needed: 0, share: 0 };
  return [
    ...pools.map(({ pool, demand, kept }, i): Target => {
      const { needed, share } = parts[i] ?? none;
      return { standing: { ...pool, demand: Math.max(kept, demand) }, needed: kept + needed, share: kept + share };
    }),
    ...own.map((standing, i): Target => ({ standing, ...(parts[pools.length + i] ?? none) })),
    ...lanes.filter(({ small }) => small).map((standing): Target => ({ standing, ...none })),
  ];
}

/** Whether a lane has no work: what it then asks for is only to keep what it has. */
function isIdle({ held, entered, waits }: Standing): boolean {
  return sumOf(held) + entered + waits === 0;
}

/** What an entry pool asks for: for what is held there and by small lanes, and for what waits of these. */
function poolClaim(pool: Standing, lanes: readonly Standing[]) {
  const kept = pool.entry ?? 0;
  let [needed, weight] = [sumOf(pool.held), pool.entered];
  for (const { lane, entry, entered, demand, small, ...standing } of lanes) {
    if (lane.type !== pool.lane.type || entry !== undefined) continue;
    // Of one that has outgrown the pool nothing comes after what it holds there.
    needed += (small ? demand : 0) - entered;
    weight += (small && demand > 0 ? standing.weight : 0) - (entered > 0 ? 1 : 0);
  }
  return { pool, kept, weight: Math.max(1, weight), demand: Math.min(pool.cap, poolDemand(Math.max(0, needed), sumOf(pool.shares))) };
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
