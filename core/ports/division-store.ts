import type { Grant, RateGrant, RateRest } from '@sluice/contracts';
import type { Lane } from './permit-store.ts';

/**
 * What control has granted, and the lease that lets one round of it divide at a time. All calls are repeatable; each
 * throws when its answer is unknown.
 */
export interface DivisionStore {
  /**
   * Takes the lease, where it is free, has run out by `now`, or is the holder's own already. Where another has it, that one
   * is asked to go again.
   * @returns the number of the round, higher than that of any before; `undefined` where another has the lease
   */
  readonly begin: (holder: string, now: number, until: number) => Promise<number | undefined>;
  /** Makes the lease last longer. @returns whether it was still the holder's */
  readonly extend: (holder: string, until: number) => Promise<boolean>;
  /** Gives the lease back. @returns whether another was turned away since it was taken, whose reason this round may have missed */
  readonly end: (holder: string) => Promise<boolean>;
  /** Of all lanes; reads consistently. */
  readonly grants: () => Promise<readonly Grant[]>;
  readonly put: (lane: Lane, grant: Grant) => Promise<void>;
  readonly remove: (lane: Lane) => Promise<void>;
  /** Parts of resources' rates, of all lanes; reads consistently. */
  readonly rateGrants: () => Promise<readonly RateGrant[]>;
  readonly putRates: (lane: Lane, grant: RateGrant) => Promise<void>;
  readonly removeRates: (lane: Lane) => Promise<void>;
  /** What rates have left that no lane has, of all resources that ever gave any away; reads consistently. */
  readonly rateRests: () => Promise<readonly RateRest[]>;
  readonly putRest: (rest: RateRest) => Promise<void>;
  readonly removeRest: (resource: string) => Promise<void>;
}
