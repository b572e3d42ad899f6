/** Seconds that an event may wait for its start; see core/dispatch/work.ts. */
export const EVENT_AGE_SECONDS = 20;

/**
 * Times of the domain that are shorter here, so that what a killed function held comes back sooner. They keep their
 * proportions: nothing depends on how long they are.
 */
export const SHORTER: readonly { readonly file: string; readonly from: string; readonly to: string }[] = [
  // A lease: what an event may wait, and the grace.
  { file: 'core/dispatch/work.ts', from: 'EVENT_AGE_MS = EVENT_AGE_SECONDS * 1000', to: `EVENT_AGE_MS = ${EVENT_AGE_SECONDS * 1000}` },
  { file: 'core/dispatch/work.ts', from: 'GRACE_MS = 60_000', to: 'GRACE_MS = 20_000' },
  { file: 'core/control/divide-capacities.ts', from: 'LEASE_MS = 60_000', to: 'LEASE_MS = 9_000' },
  { file: 'core/control/divide-capacities.ts', from: 'MARGIN_MS = 20_000', to: 'MARGIN_MS = 3_000' },
  { file: 'functions/control/clean-up.ts', from: 'CALL_MS = 16_000', to: 'CALL_MS = 6_000' },
];
