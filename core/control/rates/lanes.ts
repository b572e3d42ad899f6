import type { RateGrant } from '@sluice/contracts';
import { tokensOf, type RateWindow } from '../../limits/rate-share.ts';
import { laneKey } from '../../permits/lane-key.ts';
import type { Cell, Lane } from '../../ports/permit-store.ts';
import { sumOf, type Standing } from '../targets.ts';
import { rateDemand, type RateClaimant } from './plan.ts';
import type { ResourceRate, TypeWindow } from './windows.ts';

/** A lane in windows of one length. */
export interface LaneWindow extends RateClaimant {
  readonly perSeconds: number;
  readonly of: RatedLane;
}

/** A lane that draws on resources with rates, or did. */
export interface RatedLane {
  readonly lane: Lane;
  /** Its first cell; not of one of which nothing but its grant is known. */
  readonly seen: Cell | undefined;
  readonly grant: RateGrant | undefined;
  /** Its windows, the shortest first; none where it is to have no part of any rate any more. */
  readonly windows: readonly LaneWindow[];
  /** What it had in each of the windows that are known, where it is to have none. */
  readonly former: readonly { readonly perSeconds: number; readonly has: number; readonly rates: readonly ResourceRate[] }[];
  /** Hints in its backlog. */
  readonly waits: number;
}

/** How each lane stands that has, or is to have, parts of the rates of its resources. Those of which nothing was heard have none. */
export function ratedLanes(
  standings: readonly Standing[],
  grants: readonly RateGrant[],
  windows: ReadonlyMap<string, readonly TypeWindow[]>,
  now: number,
): readonly RatedLane[] {
  const granted = new Map(grants.map((grant) => [laneKey(grant), grant]));
  const lanes = standings.flatMap((standing): RatedLane[] => {
    const own = windows.get(standing.lane.type);
    const key = laneKey(standing.lane);
    const grant = granted.get(key);
    if (!own || standing.entry !== undefined) return [];
    granted.delete(key);
    // Until it has nothing to start with, its pace is kept.
    const gone = standing.demand === 0 && sumOf(standing.shares) === 0;
    if (!gone) return [ratedLane(standing, grant, own, now)];
    return grant || standing.first?.rateShare ? [formerLane(standing.lane, standing.first, grant, own)] : [];
  });
  const others = [...granted.values()].map((grant) => {
    const { tenant, type } = grant;
    return formerLane({ tenant, type }, undefined, grant, windows.get(type) ?? []);
  });
  return [...lanes, ...others];
}

function ratedLane(standing: Standing, grant: RateGrant | undefined, own: readonly TypeWindow[], now: number): RatedLane {
  const { lane, first, weight, demand, held, waits } = standing;
  const windows: LaneWindow[] = [];
  const rated: RatedLane = { lane, seen: first, grant, windows, former: [], waits };
  for (const { perSeconds, rates } of own) {
    const window = first && windowIn(first, perSeconds);
    const { limit } = window ?? { limit: 0 };
    const used = window ? limit - tokensOf(window, now) : 0;
    windows.push({
      key: laneKey(lane),
      of: rated,
      perSeconds,
      rates,
      weight,
      has: Math.max(limit, limitIn(grant, perSeconds)),
      demand: rateDemand({ demand, held: sumOf(held), waits, limit, used }),
    });
  }
  return rated;
}

function formerLane(lane: Lane, seen: Cell | undefined, grant: RateGrant | undefined, own: readonly TypeWindow[]): RatedLane {
  const former = own.map(({ perSeconds, rates }) => {
    const limit = (seen && windowIn(seen, perSeconds)?.limit) ?? 0;
    return { perSeconds, rates, has: Math.max(limit, limitIn(grant, perSeconds)) };
  });
  return { lane, seen, grant, windows: [], former, waits: 0 };
}

export function windowIn({ rateShare }: Pick<Cell, 'rateShare'>, perSeconds: number): RateWindow | undefined {
  return rateShare?.windows.find((window) => window.perSeconds === perSeconds);
}

function limitIn(grant: RateGrant | undefined, perSeconds: number): number {
  return grant?.rates.find((rate) => rate.perSeconds === perSeconds)?.limit ?? 0;
}
