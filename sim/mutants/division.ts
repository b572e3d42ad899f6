import type { Mutant } from './mutant.ts';

/** Mistakes of a division, which the random simulation finds. */
export const DIVISION: readonly Mutant[] = [
  {
    name: 'held-not-taken',
    why: 'what is still held above a share that was lowered is given to others',
    edits: [{ file: 'core/control/targets.ts', find: 'Math.max(shares[cell] ?? 0, held[cell] ?? 0)', replace: 'shares[cell] ?? 0' }],
    seeds: 60,
    profile: { divides: true, redeploys: false, purges: false },
  },
];
