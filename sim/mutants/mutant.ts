import type { Edit } from './edit.ts';

/** A planted bug: the code with an edit, and the question of the explorer that finds it. */
export interface Mutant {
  readonly name: string;
  /** The rule of docs/spec/Sluice.tla that it takes out of the code. */
  readonly rule?: string;
  readonly why: string;
  readonly edits: readonly Edit[];
  /** A question of sim/explore/configs.ts, or `division`, which the random simulation is asked. */
  readonly question: string;
  /** States that it takes to find it, where the usual number is too small. */
  readonly states?: number;
}
