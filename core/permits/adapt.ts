import { adapt, initial, type Aimd, type AimdRules, type Ends } from '../limits/aimd.ts';
import type { LaneRules } from '../limits/lane-rules.ts';
import type { Cell } from '../ports/permit-store.ts';
import { cellsInUse, mostCells, shareOf } from './cells.ts';

/** What a cell changes of itself when attempts have ended. */
export interface Adapted {
  readonly aimd: Aimd;
  /** Of the first cell: cells in use from now on. */
  readonly cells?: number;
}

/** The first cell is well below its share when cells go, and at it when they come: in between nothing changes. */
const GO_AT = 1 / 8;
const USED = 0.75;

/**
 * What becomes of a cell's limit, and with that of the first cell of the number of cells: permits are spread evenly, so it
 * stands for all. Twice as many come when it has filled its share for a round; half of them go when it is down to an eighth
 * of it, and those that stay take over. What a cell holds that goes is given back there, and counts in its share as before.
 */
export function adaptCell(rules: LaneRules, index: number, cell: Cell, ends: Ends, now: number): Adapted | undefined {
  if (!rules.aimd) return undefined;
  const share = shareOf(rules, index, cell);
  if (share < 1) return undefined;
  const aimd = adapt(cell.aimd, ends, rules.aimd, share, now);
  if (index !== 0) return aimd && { aimd };
  const cells = cellsInUse(rules, cell);
  if (aimd && cells > 1 && aimd.cutAt === now && aimd.limit <= share * GO_AT) {
    return { aimd: { ...aimd, limit: Math.min(share, 2 * aimd.limit), top: 2 * aimd.top }, cells: Math.ceil(cells / 2) };
  }
  if (aimd || cells >= mostCells(rules, cell)) return aimd && { aimd };
  const full = filled(rules.aimd, cell.aimd ?? initial(rules.aimd, share), ends, share, now);
  return full && { aimd: full, cells: Math.min(mostCells(rules, cell), 2 * cells) };
}

/** Begins another round of a cell that has been full of its share for one. */
function filled(rules: AimdRules, aimd: Aimd, { throttled, good, flight }: Ends, share: number, now: number): Aimd | undefined {
  const held = throttled.length > 0 || (aimd.slow > 0 && now - aimd.at < rules.windowMs);
  if (held || aimd.limit < share || flight < USED * share || good - aimd.round < share || now - aimd.since < aimd.lag) return undefined;
  return { ...aimd, round: good, since: now };
}
