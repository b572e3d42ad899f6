/** From now on `Date` of this thread is so many milliseconds ahead of the machine's clock. */
export function shiftDate(milliseconds: number): void;
