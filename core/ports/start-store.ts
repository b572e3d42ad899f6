import type { RunCounts, StartChoice } from '@sluice/contracts';

/** How types with `start: 'auto'` are started, and what was measured of them. Writes and `counted` throw when their answer is unknown. */
export interface StartStore {
  /** The choice of a type as it was some seconds ago; on the way of a task it costs no call. */
  readonly known: (type: string) => Promise<StartChoice | undefined>;
  /** All of them, likewise. */
  readonly all: () => Promise<readonly StartChoice[]>;
  /** Writes a choice, on condition that the one before it is still there, or none where there was none. @returns whether it was */
  readonly write: (next: StartChoice, before: StartChoice | undefined) => Promise<boolean>;
  /** Takes a choice away, where it is still there. */
  readonly remove: (choice: StartChoice) => Promise<void>;
  /** Adds to what was counted under a choice, and keeps it for 30 days more. A call that is repeated counts twice. */
  readonly add: (choice: Pick<StartChoice, 'type' | 'since'>, counts: RunCounts) => Promise<void>;
  /** What was counted under a choice; reads consistently. */
  readonly counted: (choice: Pick<StartChoice, 'type' | 'since'>) => Promise<RunCounts>;
}
