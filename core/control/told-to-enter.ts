import { laneKey } from '../permits/lane-key.ts';
import type { Lane } from '../ports/permit-store.ts';
import { hash32 } from '../routing/shuffle-shard.ts';
import { sumOf, type Target } from './targets.ts';

/**
 * Small lanes with a backlog, as many as their pools have room for: nobody else tells those that are not in line. Who is told
 * first changes each time.
 */
export function toldToEnter(targets: readonly Target[], turn: number): readonly Lane[] {
  const rooms = new Map<string, number>();
  for (const { standing } of targets) {
    const { lane, entry, shares, held } = standing;
    if (entry !== undefined) rooms.set(lane.type, Math.max(1, sumOf(shares) - sumOf(held)));
  }
  const waiting = targets.filter(({ standing }) => standing.small && standing.demand > standing.entered + sumOf(standing.held));
  const luck = ({ standing }: Target): number => hash32(`${turn}#${laneKey(standing.lane)}`);
  return waiting
    .toSorted((a, b) => luck(a) - luck(b))
    .flatMap(({ standing: { lane, demand, entered } }) => {
      const room = rooms.get(lane.type) ?? 0;
      if (room <= 0) return [];
      rooms.set(lane.type, room - (demand - entered));
      return [lane];
    });
}
