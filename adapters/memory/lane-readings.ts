import type { Priority } from '@sluice/contracts';
import type { BacklogSize, BacklogStore } from '../../core/ports/backlog-store.ts';
import type { LaneReadings } from '../../core/ports/lane-readings.ts';
import type { Lane, PermitStore, Place } from '../../core/ports/permit-store.ts';

export interface MemoryLaneReadingsConfig {
  readonly permits: Pick<PermitStore, 'read'>;
  readonly backlog: Pick<BacklogStore, 'first'>;
}

/** Reads what two other stores keep. */
export function createMemoryLaneReadings({ permits, backlog }: MemoryLaneReadingsConfig): LaneReadings {
  const ofPlace = async (lane: Lane, place: Place, atMost: number): Promise<Record<Priority, BacklogSize>> => {
    const tasks = await backlog.first(lane, Infinity, place);
    const sizeOf = (each: Priority): BacklogSize => {
      const ats = tasks.filter(({ priority }) => priority === each).map(({ at }) => at);
      return { count: Math.min(ats.length, atMost), more: ats.length > atMost, oldestAt: ats[0] };
    };
    return { high: sizeOf('high'), normal: sizeOf('normal'), low: sizeOf('low') };
  };
  return {
    cells: (names) => Promise.all(names.map(({ lane, cell }) => permits.read(lane, cell))),
    sizes: async (lane, atMost) => ({
      permits: await ofPlace(lane, 'permits', atMost),
      budget: await ofPlace(lane, 'budget', atMost),
    }),
  };
}
