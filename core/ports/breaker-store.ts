import type { Breaker } from '@sluice/contracts';

export type BreakerWrite = { readonly applied: boolean; /** As it is, where the write lost. */ readonly breaker: Breaker | undefined };

/** The breakers of the platform, by key. `read` and `write` throw when their answer is unknown. */
export interface BreakerStore {
  /** One that is not closed, as it was known some seconds ago; on the way of a task it costs no call. */
  readonly known: (key: string) => Promise<Breaker | undefined>;
  /** All of them that are not closed, as known. */
  readonly notClosed: () => Promise<readonly Breaker[]>;
  /** Reads consistently. */
  readonly read: (key: string) => Promise<Breaker | undefined>;
  /** Writes on condition that the stored one has the seq before this one's, or that there is none where this one's is 1. */
  readonly write: (breaker: Breaker) => Promise<BreakerWrite>;
}
