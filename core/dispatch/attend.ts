/**
 * ms for which a drain that has started something looks for more room before it leaves a lane to lane hints. A hint costs as much as an
 * invocation that waits for a quarter of a second: so whatever comes, it costs at most twice what the better of both would
 * (the break-even rule of ski rental: Karlin, Manasse, Rudolph and Sleator 1988).
 */
export const ATTEND_MS = 250;
/** ms between two looks at the cells of a lane that is full. */
export const LOOK_MS = 50;
