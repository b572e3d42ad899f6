import { PRIORITIES, type Priority } from '@sluice/contracts';
import { limitFor } from '../../core/priority/ask.ts';
import type { Aimd } from '../../core/limits/aimd.ts';
import type {
  Budget,
  Cell,
  ClassAsk,
  Demands,
  Lane,
  Mark,
  Permit,
  PermitStore,
  Place,
  RateShare,
  Share,
  Starts,
} from '../../core/ports/permit-store.ts';
import { laneKey } from '../../core/permits/lane-key.ts';
import { passes, sameWindows, steppedAll } from './permit-rates.ts';

interface Flag {
  raised: number;
  cleared: number;
}

interface StoredCell {
  permits: Map<string, Permit>;
  flags: Record<Place, Flag>;
  budget: Budget | undefined;
  aliveAt: number | undefined;
  share?: Share;
  rateShare?: RateShare;
  /** Of the latest write of it, also where it then was removed. */
  rateVersion?: number;
  aimd?: Aimd;
  good?: number;
  held?: number;
  cells?: number;
  tats?: readonly (number | undefined)[];
  wakeAt?: number;
  seen?: Partial<Record<Priority, number>>;
  waits?: readonly Priority[];
  turns?: number;
  wanted?: number;
  line?: readonly string[];
  attendedUntil?: number;
}

/** Lane cells in a map. */
export function createMemoryPermitStore(): PermitStore {
  const cells = new Map<string, StoredCell>();
  const cellOf = (lane: Lane, cell: number): StoredCell => {
    const key = `${laneKey(lane)}#${cell}`;
    const flag = (): Flag => ({ raised: 0, cleared: 0 });
    const found = cells.get(key) ?? {
      permits: new Map<string, Permit>(),
      flags: { permits: flag(), budget: flag() },
      budget: undefined,
      aliveAt: undefined,
    };
    cells.set(key, found);
    return found;
  };

  return {
    acquire: async (lane, cell, permits, limit, starts, demands = {}) => {
      const stored = cellOf(lane, cell);
      const missing = permits.filter((permit) => !stored.permits.has(keyOf(permit)));
      // Nothing is missing when a call is repeated: it was granted before, whatever the limit is now.
      const repeated = missing.length === 0;
      const most = limitFor(view(stored), limit, demands);
      const room = stored.permits.size + missing.length <= most && isWithin(stored.budget, starts) && allows(stored, limit, demands);
      const granted = repeated || room;
      if (granted) for (const permit of missing) stored.permits.set(keyOf(permit), structuredClone(permit));
      if (granted && !repeated && starts) stored.budget = counted(stored.budget, starts);
      if (granted && !repeated && demands.rates) Object.assign(stored, steppedAll(stored, demands.rates));
      if (granted && !repeated && demands.classes) note(stored, demands.classes);
      if (granted && !repeated && demands.attended !== undefined) stored.attendedUntil = demands.attended;
      return { granted, cell: view(stored) };
    },
    release: async (lane, cell, permits, { aliveAt, good = 0, held = 0 } = {}) => {
      const stored = cellOf(lane, cell);
      for (const permit of permits) stored.permits.delete(keyOf(permit));
      if (permits.length > 0 && aliveAt !== undefined) stored.aliveAt = aliveAt;
      if (permits.length > 0 && good > 0) {
        stored.good = (stored.good ?? 0) + good;
        stored.held = (stored.held ?? 0) + held;
      }
      return view(stored);
    },
    read: async (lane, cell) => view(cellOf(lane, cell)),
    raise: async (lane, cell, of = 'permits', classes = [], wanted = 0) => {
      const stored = cellOf(lane, cell);
      stored.flags[of].raised += 1;
      delete stored.attendedUntil;
      if (wanted > 0) stored.wanted = (stored.wanted ?? 0) + wanted;
      if (classes.length > 0) stored.waits = PRIORITIES.filter((each) => stored.waits?.includes(each) === true || classes.includes(each));
      return view(stored);
    },
    clear: async (lane, cell, version, of = 'permits') => {
      const stored = cellOf(lane, cell);
      const flag = stored.flags[of];
      if (of === 'permits' && version === flag.raised && flag.cleared < version) {
        delete stored.waits;
        delete stored.wanted;
      }
      flag.cleared = Math.max(flag.cleared, version);
    },
    preempt: async (lane, cell) => {
      const stored = cellOf(lane, cell);
      const { wanted = 0 } = stored;
      if (wanted > 1) stored.wanted = wanted - 1;
      else delete stored.wanted;
      return wanted > 0;
    },
    adapt: async (lane, cell, next, seen, cells) => {
      const stored = cellOf(lane, cell);
      const adapted = sameAimd(stored.aimd, seen.aimd) && (cells === undefined || stored.cells === seen.cells);
      if (adapted) stored.aimd = next;
      if (adapted && cells !== undefined) stored.cells = cells;
      return { adapted, cell: view(stored) };
    },
    setShare: async (lane, cell, share) => {
      const stored = cellOf(lane, cell);
      const set = stored.share === undefined || stored.share.version < share.version;
      if (set) stored.share = share;
      return { set, cell: view(stored) };
    },
    setRates: async (lane, { version, windows }, seen) => {
      const stored = cellOf(lane, 0);
      const set = (stored.rateVersion ?? 0) < version && sameWindows(stored.rateShare?.windows, seen.rateShare?.windows);
      if (set) stored.rateVersion = version;
      if (set && windows.length > 0) stored.rateShare = { version, windows: structuredClone([...windows]) };
      else if (set) delete stored.rateShare;
      return { set, cell: view(stored) };
    },
    spend: async (lane, rates, unrated = false) => {
      const stored = cellOf(lane, 0);
      const spent = passes(stored, rates, unrated);
      if (spent) Object.assign(stored, steppedAll(stored, rates));
      return { spent, cell: view(stored) };
    },
    count: async (lane, cell, starts) => {
      const stored = cellOf(lane, cell);
      const within = isWithin(stored.budget, starts);
      if (within) stored.budget = counted(stored.budget, starts);
      return { counted: within, cell: view(stored) };
    },
    lineUp: async (pool, cell, tenant, most) => {
      const stored = cellOf(pool, cell);
      const { line = [] } = stored;
      if (line.length < most && !line.includes(tenant)) stored.line = [...line, tenant];
      return view(stored);
    },
    called: async (pool, cell, tenants) => {
      const stored = cellOf(pool, cell);
      const line = stored.line?.filter((tenant) => !tenants.includes(tenant)) ?? [];
      if (line.length > 0) stored.line = line;
      else delete stored.line;
    },
    wake: async (lane, at, now) => {
      const stored = cellOf(lane, 0);
      const news = stored.wakeAt === undefined || stored.wakeAt <= now || stored.wakeAt > at;
      if (news) stored.wakeAt = at;
      return news;
    },
  };
}

/** Whether a cell lets its permits be taken up to that limit. */
export function allows(cell: Pick<Cell, 'aimd' | 'share' | 'tats' | 'rateShare'>, limit: number, demands: Demands): boolean {
  const { aimd, share } = cell;
  if (demands.adaptive !== false && aimd && aimd.limit < limit) return false;
  return (share?.share ?? limit) >= limit && passes(cell, demands.rates ?? [], demands.unrated ?? false);
}

/** Like the other store, it compares what is written: of no two states are all numbers the same. */
function sameAimd(a: Aimd | undefined, b: Aimd | undefined): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

export function isWithin(budget: Budget | undefined, starts: Starts | undefined): boolean {
  const { within, retries = 0 } = starts ?? {};
  return !within || (sameMark(budget?.next, within.seen) && (budget?.retries ?? 0) + retries <= within.most);
}

function sameMark(a: Mark | undefined, b: Mark | undefined): boolean {
  return a?.at === b?.at && a?.firsts === b?.firsts && a?.retries === b?.retries;
}

export function counted(budget: Budget | undefined, { firsts, retries, within }: Starts): Budget {
  const { firsts: f = 0, retries: r = 0, base, next } = budget ?? {};
  return { firsts: f + firsts, retries: r + retries, base: within?.base ?? base, next: within?.next ?? next };
}

function note(stored: StoredCell, { seen, now, turns = 0 }: ClassAsk): void {
  if (seen.length > 0) stored.seen = { ...stored.seen, ...Object.fromEntries(seen.map((priority) => [priority, now])) };
  if (turns > 0) stored.turns = (stored.turns ?? 0) + turns;
}

function keyOf({ expiry, nonce }: Permit): string {
  return `${expiry}|${nonce}`;
}

function view({ permits, flags, budget, aliveAt, rateVersion: _, ...more }: StoredCell): Cell {
  return structuredClone({
    permits: [...permits.values()],
    ...flags.permits,
    ...(flags.budget.raised > 0 && { waiting: flags.budget }),
    ...(budget && { budget }),
    ...(aliveAt !== undefined && { aliveAt }),
    ...more,
  });
}
