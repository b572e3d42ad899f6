import { AWS_LIMITS } from '@sluice/contracts';

/** Times of the hint protocol, ms. Each is one that the model in the specification depends on. */
export const HINT_TIMES = {
  /** A hint that finds no row is kept this long after it was made: twice as long as a submission may take to its row. */
  orphanMs: 60_000,
  /** A row confirmed later than this after its hint gets another hint before the submission is answered. */
  confirmMs: 30_000,
  /** Total time of looking again at a missing row before the hint is given back. */
  lookAgainMs: [20, 60, 120] as readonly number[],
  /** A hint that is given back is received again after this. */
  giveBackSeconds: 2,
  /** A put into a bucket counts only if it was confirmed this long before the bucket's minute. */
  bucketMarginMs: 180_000,
} as const;

export const MINUTE_MS = 60_000;

export function minuteOf(at: number): number {
  return Math.floor(at / MINUTE_MS);
}

/** Where a hint that is due at a time rests until then; the third home, the backlog, is chosen when a lane is full. */
export type HintHome = { readonly in: 'queue'; readonly delaySeconds: number } | { readonly in: 'bucket'; readonly minute: number };

/** Never early: the delay of a queue is rounded up to whole seconds. */
export function homeFor(at: number, now: number): HintHome {
  const delaySeconds = Math.max(0, Math.ceil((at - now) / 1000));
  return delaySeconds <= AWS_LIMITS.queueDelaySeconds ? { in: 'queue', delaySeconds } : { in: 'bucket', minute: minuteOf(at) };
}

/** Whether a put into a bucket, confirmed now, is sure to be seen by the mover of that minute. */
export function armedInTime(minute: number, confirmedAt: number): boolean {
  return confirmedAt < minute * MINUTE_MS - HINT_TIMES.bucketMarginMs;
}
