/** What attempts of a lane (a tenant's; a scenario has one task type) ended with, for the cell that held their permits. */
export interface CellEnds {
  readonly succeeded: number;
  readonly throttled: number;
  readonly failed: number;
}

/** The permits of lanes: how many a lane may hold now, and who holds them. */
export interface LaneLimits {
  /** Takes permits as far as there is room. @returns for each that was taken the cell that holds it */
  readonly acquire: (lane: number, wanted: number) => readonly number[];
  readonly release: (lane: number, cell: number, ends: CellEnds) => void;
  /** Permits that could be taken now, about. */
  readonly free: (lane: number) => number;
  readonly limit: (lane: number) => number;
  readonly held: (lane: number) => number;
}

/** The same limit for each lane, always. */
export function fixedLimits(lanes: number, limit: number): LaneLimits {
  const held = new Int32Array(lanes);
  return {
    acquire: (lane, wanted) => {
      const n = Math.max(0, Math.min(wanted, limit - held[lane]!));
      held[lane]! += n;
      return Array.from({ length: n }, () => 0);
    },
    release: (lane, _, { succeeded, throttled, failed }) => void (held[lane]! -= succeeded + throttled + failed),
    free: (lane) => limit - held[lane]!,
    limit: () => limit,
    held: (lane) => held[lane]!,
  };
}
