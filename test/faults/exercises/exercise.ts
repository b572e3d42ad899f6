import type { Stage } from '../world/stage.ts';

/**
 * Something that the platform does, from the first call to the last thing that must hold. It runs without a fault once, to
 * see which call sites it comes to, and then again and again, each time with a fault at one of them.
 */
export interface Exercise {
  /** A sentence without a subject: `runs a task by event`. */
  readonly name: string;
  readonly run: (stage: Stage) => Promise<void>;
  /** Only one at a time of those with the same word: they share something that the whole platform has one of. */
  readonly alone?: string;
  /** None of those that are alone with this word runs beside it. */
  readonly notBeside?: string;
  /**
   * Functions that come to it on their own, by a schedule: their calls that name nobody are this exercise's, when they are
   * made while it is the only one.
   */
  readonly ticks?: readonly string[];
  /** The same for functions that do not come on their own: they are not begun anew. */
  readonly calls?: readonly string[];
  /** Of its calls that name nobody, only those of call sites with this in their names. */
  readonly of?: string;
  /** Takes a minute or more, for a lease must end: begun before the others. */
  readonly slow?: boolean;
}
