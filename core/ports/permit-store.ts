import type { Priority } from '@sluice/contracts';
import type { Aimd } from '../limits/aimd.ts';
import type { RateStep } from '../limits/gcra.ts';
import type { RateWindow } from '../limits/rate-share.ts';

/** One tenant's work of one task type. */
export interface Lane {
  readonly tenant: string;
  readonly type: string;
}

/** The right to have one attempt in flight. */
export interface Permit {
  /** ms: the end of the lease. A store may keep it to the second, rounded up. */
  readonly expiry: number;
  /** Of the claim, and so of its (uid, fence): the row that was claimed names it. A loser removes only its own. */
  readonly nonce: string;
}

/** Where counters of a cell stood at some time, ms. */
export interface Mark {
  readonly at: number;
  readonly firsts: number;
  readonly retries: number;
}

/** What a cell counts for the retry budget: first attempts and retries that took permits, ever. */
export interface Budget {
  readonly firsts: number;
  readonly retries: number;
  /** The marks that the window is measured from; written with retries alone. */
  readonly base?: Mark | undefined;
  readonly next?: Mark | undefined;
}

/** What permits are for, counted with them in the same write. */
export interface Starts {
  readonly firsts: number;
  readonly retries: number;
  /** With retries: the condition that the budget is as it was seen, or has grown since. */
  readonly within?: {
    /** The later mark as it was seen. */
    readonly seen: Mark | undefined;
    readonly base: Mark;
    readonly next: Mark;
    /** What the cell's counter of retries may be afterwards. */
    readonly most: number;
  };
}

/** What a hint of a lane's backlog waits for: a permit (or its breaker), or, as a retry, the lane's budget. Each has a flag. */
export type Place = 'permits' | 'budget';

/** What a cell was given of capacities that its lane has in common with others. */
export interface Share {
  /** Only a higher one replaces it. */
  readonly version: number;
  /** Attempts at once, 0 or more. @default its part of the lane's concurrency */
  readonly share?: number;
  /** Cells over which what the lane was given is divided. @default as many as its concurrency asks for */
  readonly cells?: number;
  /** Without a share it may not draw on the entry pool either. @default false */
  readonly closed?: boolean;
  /** Of an entry pool: attempts at once that one lane may have of it. @default as many as its concurrency */
  readonly each?: number;
}

/** What a lane was given of the rates of its resources; in cell 0 alone. */
export interface RateShare {
  /** Only a higher one replaces it. */
  readonly version: number;
  /** One for each length of window, the shortest first. */
  readonly windows: readonly RateWindow[];
}

/** What classes of priority ask of a cell beside its limit. */
export interface ClassAsk {
  /** The classes that the permits are for, noted as seen now. */
  readonly seen: readonly Priority[];
  /** ms; a store may keep it to the second. */
  readonly now: number;
  /** How many of the permits are for hints of the backlog: its turns are counted. */
  readonly turns?: number;
  /** Another limit where one of these classes was seen since, ms. */
  readonly reserve?: { readonly for: readonly Priority[]; readonly since: number; readonly limit: number };
  /** Another limit where the backlog's flag is up and one of these classes waits there. */
  readonly behind?: { readonly of: readonly Priority[]; readonly limit: number };
}

/** What else a call asks of the cell that is to take its permits. */
export interface Demands {
  /** Whether the cell's AIMD limit counts. @default true */
  readonly adaptive?: boolean;
  /** Steps of the lane's rates, one for each, and of its parts of resources' rates; in cell 0 alone. */
  readonly rates?: readonly RateStep[];
  /** That the cell has no part of resources' rates, as it was seen. @default it has those of the steps, or it does not matter */
  readonly unrated?: boolean;
  /** @default of no class, and behind nobody */
  readonly classes?: ClassAsk;
  /** Permits beyond each of these limits, for claims that then wait for a slot within it. @default 0 */
  readonly ahead?: number;
  /** Another limit while lanes are in line. @default the same */
  readonly yields?: number;
  /** Noted with the permits: who takes them looks at the lane until then, ms. @default it does not */
  readonly attended?: number;
}

/** What is known of the attempts whose permits are given back. */
export interface Ended {
  /** When the attempt began whose success was heard of last, ms. */
  readonly aliveAt?: number;
  /** Successes among them, and ms for which these were held, all together. */
  readonly good?: number;
  readonly held?: number;
}

/** A cell of a lane, as it was after a call (or, when the call was refused, before it). */
export interface Cell {
  readonly permits: readonly Permit[];
  /** The backlog flag: it is up while `raised` > `cleared`. */
  readonly raised: number;
  readonly cleared: number;
  /** The same flag of retries that wait for their budget; absent where none ever did. */
  readonly waiting?: { readonly raised: number; readonly cleared: number };
  readonly budget?: Budget;
  /** When the attempt began whose success was heard of last, ms; a store may keep it to the second. */
  readonly aliveAt?: number;
  readonly share?: Share;
  /** Of cell 0: its parts of the rates of resources. */
  readonly rateShare?: RateShare;
  /** Absent: as a new lane begins. */
  readonly aimd?: Aimd;
  /** Successes that were counted, ever, and ms for which they were held; now and then one twice. */
  readonly good?: number;
  readonly held?: number;
  /** Of cell 0: how many cells of the lane are in use. @default as a new lane begins */
  readonly cells?: number;
  /** Of cell 0: the TATs of the lane's rates, µs. */
  readonly tats?: readonly (number | undefined)[];
  /** When permits were last taken for a class, ms, to the second. */
  readonly seen?: Readonly<Partial<Record<Priority, number>>>;
  /** Classes that were put into the backlog since it was last seen empty. */
  readonly waits?: readonly Priority[];
  /** Of cell 0: attempts that are wanted to make room for a higher class, and have not been asked yet. */
  readonly wanted?: number;
  /** Permits that were taken for hints of the backlog, ever. */
  readonly turns?: number;
  /** Of cell 0: when the lane is told that its rates let it go on, ms. */
  readonly wakeAt?: number;
  /** Of an entry pool: tenants whose lanes wait for room in it. */
  readonly line?: readonly string[];
  /** Somebody works off the lane's backlog and looks for room until then, ms: it need not be told. */
  readonly attendedUntil?: number;
}

/** The permits and backlog flags of lanes. All calls are repeatable; each throws when its answer is unknown. */
export interface PermitStore {
  /**
   * Adds all of them, on condition that the cell then holds at most `limit`, and that neither its share nor its AIMD limit
   * is less; permits that it already holds count once. `starts` are counted and rates stepped in the same write, and not
   * when a call is repeated; they may add conditions, and classes a lower limit.
   */
  readonly acquire: (
    lane: Lane,
    cell: number,
    permits: readonly Permit[],
    limit: number,
    starts?: Starts,
    demands?: Demands,
  ) => Promise<{ readonly granted: boolean; readonly cell: Cell }>;
  /** Removes exactly these, where they are there. */
  readonly release: (lane: Lane, cell: number, permits: readonly Permit[], ended?: Ended) => Promise<Cell>;
  /** Reads consistently. */
  readonly read: (lane: Lane, cell: number) => Promise<Cell>;
  /**
   * Raises the flag's version by one; who attended to the lane may have left it. @param of default `permits` @param classes of what was put there
   * @param wanted how many more attempts are wanted to make room for it
   */
  readonly raise: (lane: Lane, cell: number, of?: Place, classes?: readonly Priority[], wanted?: number) => Promise<Cell>;
  /** Marks that version of the flag as dealt with; a higher one stays up. No class waits any more, nor is room wanted, where it was the latest. */
  readonly clear: (lane: Lane, cell: number, version: number, of?: Place) => Promise<void>;
  /** Takes one from those that are wanted to make room. @returns whether there was one */
  readonly preempt: (lane: Lane, cell: number) => Promise<boolean>;
  /**
   * Replaces what the cell knows of its capacity, on condition that it is as it was seen, and in cell 0 the number of cells
   * in use with it. The cell is as it was after that, or, refused, before.
   */
  readonly adapt: (
    lane: Lane,
    cell: number,
    next: Aimd,
    seen: Cell,
    cells?: number,
  ) => Promise<{ readonly adapted: boolean; readonly cell: Cell }>;
  /** Gives a cell a share, on condition that the version is higher than that of what it has. */
  readonly setShare: (lane: Lane, cell: number, share: Share) => Promise<{ readonly set: boolean; readonly cell: Cell }>;
  /**
   * Replaces the lane's parts of the rates of its resources, in cell 0, on condition that they are as they were seen, TATs and all, and
   * that the version is higher. Without windows it has none any more.
   */
  readonly setRates: (lane: Lane, rates: RateShare, seen: Cell) => Promise<{ readonly set: boolean; readonly cell: Cell }>;
  /** Steps the lane's rates, and its parts of resources' rates, without taking permits. @param unrated as in {@link Demands} */
  readonly spend: (lane: Lane, rates: readonly RateStep[], unrated?: boolean) => Promise<{ readonly spent: boolean; readonly cell: Cell }>;
  /** Counts starts for which permits are taken elsewhere. Repeated, it may count twice. */
  readonly count: (lane: Lane, cell: number, starts: Starts) => Promise<{ readonly counted: boolean; readonly cell: Cell }>;
  /** Puts a tenant's lane in line for room in a cell of an entry pool, where fewer than `most` are. */
  readonly lineUp: (pool: Lane, cell: number, tenant: string, most: number) => Promise<Cell>;
  /** Takes those out of line who have been told. */
  readonly called: (pool: Lane, cell: number, tenants: readonly string[]) => Promise<void>;
  /** Notes that the lane is told at `at`. @returns whether that is news: it is not told between now and then. */
  readonly wake: (lane: Lane, at: number, now: number) => Promise<boolean>;
}
