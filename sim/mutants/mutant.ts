import type { FaultKind, Profile } from '../faults.ts';
import type { Edit } from './edit.ts';

/** The edits of a mistake in one place. */
export const edit = (file: string, find: string, replace: string): readonly Edit[] => [{ file, find, replace }];

/** A planted bug: the code with an edit, and what finds it, a question of the explorer or random runs. */
export type Mutant = Planted & (Asked | Random);

interface Planted {
  readonly name: string;
  /** The rule of docs/spec/Sluice.tla that it takes out of the code. */
  readonly rule?: string;
  readonly why: string;
  readonly edits: readonly Edit[];
}

interface Asked {
  /** A question of sim/explore/configs.ts. */
  readonly question: string;
  /** States that it takes to find it, where the usual number is too small. */
  readonly states?: number;
}

/** What random runs have in common. */
export interface Runs {
  /** What all of them have, where few have it. */
  readonly profile?: Partial<Profile>;
  /** Kinds of faults that strike in none of them. */
  readonly without?: readonly FaultKind[];
}

interface Random extends Runs {
  /** Runs of `npm run sim` from the first seed on, of which one finds it. The same run without the bug must find nothing. */
  readonly seeds: number;
}
