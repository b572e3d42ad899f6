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

/** A cell of a lane, as it was after a call (or, when the call was refused, before it). */
export interface Cell {
  readonly permits: readonly Permit[];
  /** The backlog flag: it is up while `raised` > `cleared`. */
  readonly raised: number;
  readonly cleared: number;
}

/** The permits and backlog flags of lanes. All calls are repeatable; each throws when its answer is unknown. */
export interface PermitStore {
  /** Adds all of them, on condition that the cell then holds at most `limit`; permits that it already holds count once. */
  readonly acquire: (
    lane: Lane,
    cell: number,
    permits: readonly Permit[],
    limit: number,
  ) => Promise<{ readonly granted: boolean; readonly cell: Cell }>;
  /** Removes exactly these, where they are there. */
  readonly release: (lane: Lane, cell: number, permits: readonly Permit[]) => Promise<Cell>;
  /** Reads consistently. */
  readonly read: (lane: Lane, cell: number) => Promise<Cell>;
  /** Raises the flag's version by one. */
  readonly raise: (lane: Lane, cell: number) => Promise<Cell>;
  /** Marks that version of the flag as dealt with; a higher one stays up. */
  readonly clear: (lane: Lane, cell: number, version: number) => Promise<void>;
}
