import { holdTimes, isAtKnee, isBlind, isNewsLate } from '../limits/hold-times.ts';
import { adapt, initial, isFalling, isUsed, isWatched, type Aimd, type AimdRules, type Ends } from '../limits/aimd.ts';
import type { LaneRules } from '../limits/lane-rules.ts';
import type { Cell } from '../ports/permit-store.ts';
import { cellsInUse, mostCells, shareOf } from './cells.ts';

/** What a cell changes of itself when attempts have ended. */
export interface Adapted {
  readonly aimd: Aimd;
  /** Of the first cell: cells in use from now on. */
  readonly cells?: number;
}

/** The first cell is at its share when cells come, and well below it when they go: in between nothing changes. */
const GO_AT = 1 / 4;

/**
 * What becomes of a cell's limit, and with that of the first cell of the number of cells: permits are spread evenly, so it
 * stands for all. Twice as many come when it has filled its share for a round; half of them go when it is down to a quarter
 * of it, and those that stay take over. What a cell holds that goes is given back there, and counts in its share as before.
 */
export function adaptCell(rules: LaneRules, index: number, cell: Cell, ends: Ends, now: number): Adapted | undefined {
  if (!rules.aimd) return undefined;
  const share = shareOf(rules, index, cell);
  if (share < 1) return undefined;
  if (index !== 0 || rules.spread) {
    const aimd = adapt(cell.aimd, { ...ends, others: true }, rules.aimd, share, now);
    return aimd && { aimd };
  }
  const cells = cellsInUse(rules, cell);
  const aimd = adapt(cell.aimd, { ...ends, cells, others: cells > 1 }, rules.aimd, share, now);
  if (aimd && cells > 1 && aimd.cutAt === now) {
    if (isAtKnee(aimd)) return begunAnew(aimd, share);
    // In a fall not for each step back: what runs in the cells that go, the others do not count.
    const waits = aimd.slow > 0 && cell.aimd !== undefined && isFalling(cell.aimd, now);
    if (aimd.limit <= share * GO_AT && !waits) return handedOver(aimd, cells, share);
  }
  if (aimd || cells >= mostCells(rules, cell)) return aimd && { aimd };
  const full = filled(rules.aimd, cell.aimd ?? initial(rules.aimd, share), { ...ends, cells }, share, now);
  return full && { aimd: full, cells: Math.min(mostCells(rules, cell), 2 * cells) };
}

/**
 * What the first cell makes of an event that was claimed in another one and got too old: it begins to watch how many end, for only
 * the first cell can tell that far fewer run than did. While it watches, or nothing is late, it need not hear of another.
 */
export function adaptFirst(
  rules: LaneRules,
  first: Cell,
  { throttled, flight }: Pick<Ends, 'throttled' | 'flight'>,
  now: number,
): Adapted | undefined {
  const { aimd, good = 0, held = 0 } = first;
  const cells = cellsInUse(rules, first);
  if (!rules.aimd || !aimd || cells === 1 || isWatched(aimd, rules.aimd, now)) return undefined;
  // Of one that may have less than its part it is no wonder that few end.
  if (aimd.limit * cells < aimd.most) return undefined;
  // One is enough to watch, and too few to say how far to go down.
  const latest = throttled.slice(-1);
  return adaptCell(rules, 0, first, { throttled: latest, good, held, flight, waiting: true }, now);
}

/** Whether the first cell is to hear of what was throttled in another one. */
export function tellsFirst(rules: LaneRules, index: number, throttled: readonly number[], changed: Adapted | undefined): boolean {
  return (
    index > 0 &&
    !rules.spread &&
    throttled.length > 0 &&
    rules.aimd !== undefined &&
    changed !== undefined &&
    isNewsLate(changed.aimd, rules.aimd)
  );
}

/** Half of the cells go. */
function handedOver(aimd: Aimd, cells: number, share: number): Adapted {
  return {
    aimd: { ...aimd, limit: Math.min(share, 2 * aimd.limit), top: 2 * aimd.top, flight: 2 * aimd.flight, late: 2 * aimd.late, pause: 0 },
    cells: Math.ceil(cells / 2),
  };
}

/** One stays, at half of what the lane needs until what waits has drained (as BBR does). It grows as a new lane does. */
function begunAnew(aimd: Aimd, share: number): Adapted {
  const limit = Math.max(1, Math.floor(Math.min(share, aimd.limit) / 2));
  return { aimd: { ...aimd, limit, top: limit, pause: 0 }, cells: 1 };
}

/** Begins another round of a cell that has been full of its share for one. */
function filled(rules: AimdRules, aimd: Aimd, ends: Ends, share: number, now: number): Aimd | undefined {
  const { throttled, good } = ends;
  const held = throttled.length > 0 || isWatched(aimd, rules, now);
  if (held || aimd.limit < share || !isUsed(share, ends) || good - aimd.round < share || isBlind(aimd, 2 * share, ends, rules, now))
    return undefined;
  return { ...aimd, ...holdTimes(aimd, ends, now), round: good, since: now };
}
