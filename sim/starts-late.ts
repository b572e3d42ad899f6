/** ms by which an environment may be late to know how types are started, all through its life. */
export const STARTS_LATE = [0, 10_000, 30_000, 120_000] as const;
