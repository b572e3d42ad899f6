import type { Breaker } from '@sluice/contracts';

/** The breakers that are stored, for an operator's eyes. Throws when the answer is unknown. */
export interface BreakerList {
  /** In the order of their keys. Reads consistently. A closed one may be gone some hours after its last crash. */
  readonly all: () => Promise<readonly Breaker[]>;
}
