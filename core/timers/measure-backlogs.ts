import { chunks } from '../hints/place.ts';
import { minuteOf } from '../hints/timing.ts';
import type { BacklogStore } from '../ports/backlog-store.ts';
import type { Lane } from '../ports/permit-store.ts';
import type { Telemetry } from '../ports/telemetry.ts';

export interface MeasureDeps {
  readonly backlog: BacklogStore;
  readonly telemetry: Telemetry;
}

/** Lanes that one tick measures; where more wait they take turns, and what is counted stands for those that were not. */
const LANES_A_TICK = 500;
/** Hints that one tick counts, all lanes together: some 6 MB to read at most, a few dollars a month if it were always so. */
const COUNTED_A_TICK = 20_000;
const COUNTED_A_LANE = { least: 40, most: 10_000 };
/** Lanes that are read at once. */
const AT_ONCE = 25;

/** Measures how much waits in the lanes with a backlog, and how long the oldest has: a value for each task type. */
export async function measureBacklogs(deps: MeasureDeps, waiting: readonly Lane[], now: number): Promise<void> {
  const turns = Math.ceil(waiting.length / LANES_A_TICK);
  const lanes = waiting.filter((_, i) => i % turns === minuteOf(now) % turns);
  const share = Math.floor(COUNTED_A_TICK / lanes.length);
  const atMost = Math.min(COUNTED_A_LANE.most, Math.max(COUNTED_A_LANE.least, share));
  const byType = new Map<string, { count: number; oldestAt: number }>();
  for (const part of chunks(lanes, AT_ONCE)) {
    await Promise.all(
      part.map(async (lane) => {
        const { count, oldestAt } = await deps.backlog.measure(lane, atMost);
        const sum = byType.get(lane.type) ?? { count: 0, oldestAt: now };
        byType.set(lane.type, { count: sum.count + count, oldestAt: Math.min(sum.oldestAt, oldestAt ?? now) });
      }),
    );
  }
  for (const [type, { count, oldestAt }] of byType) {
    deps.telemetry.measure('backlog.size', type, count * turns);
    deps.telemetry.measure('backlog.age', type, (now - oldestAt) / 1000);
  }
}
