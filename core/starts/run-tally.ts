import type { Outcome, RunCounts, StartChoice, TaskRow, TaskTypeSpec } from '@sluice/contracts';
import type { Clock } from '../ports/clock.ts';
import type { StartStore } from '../ports/start-store.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import { runTime } from '../settle/measure-attempt.ts';
import { isAuto, RUN_TIMES } from './choose.ts';

/** An environment tells what it has counted so long after the first of it, ms. */
const TELL_MS = 30_000;

interface Counted {
  readonly choice: StartChoice;
  readonly counts: RunCounts;
  /** ms. */
  readonly tellAt: number;
}

/** The runs that one environment has seen and not told yet, in its memory: a task costs nothing. */
export interface RunTally {
  readonly add: (choice: StartChoice, ms: number, now: number) => void;
  /** Takes what is to be told now. */
  readonly due: (now: number) => readonly Counted[];
}

export function createRunTally(): RunTally {
  const seen = new Map<string, Counted>();
  return {
    add: (choice, ms, now) => {
      const known = seen.get(choice.type);
      const same = known?.choice.since === choice.since ? known : undefined;
      const { runs, slow, long } = same?.counts ?? { runs: 0, slow: 0, long: 0 };
      const counts = {
        runs: runs + 1,
        slow: slow + (ms > RUN_TIMES.slow ? 1 : 0),
        long: long + (ms > RUN_TIMES.long ? 1 : 0),
      };
      seen.set(choice.type, { choice, counts, tellAt: same?.tellAt ?? now + TELL_MS });
    },
    due: (now) => {
      const found = [...seen.values()].filter(({ tellAt }) => tellAt <= now);
      for (const { choice } of found) seen.delete(choice.type);
      return found;
    },
  };
}

export interface RunTallyDeps {
  /** @default `auto` is `event` */
  readonly starts?: StartStore;
  /** @default nothing is measured */
  readonly runTally?: RunTally;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
}

/**
 * Counts an attempt of a type that chooses how it is started. A failure that came soon says nothing of how long the work
 * takes; one that took its time does. Runs that were started otherwise than is chosen by now are left out. Never throws.
 */
export async function noteRun(deps: RunTallyDeps, spec: TaskTypeSpec | undefined, row: TaskRow, outcome: Outcome): Promise<void> {
  const { starts, runTally, clock, telemetry } = deps;
  if (!starts || !runTally || !spec || !isAuto(spec)) return;
  const ms = runTime(row, outcome);
  if (ms === undefined || (outcome.class !== 'succeeded' && ms <= RUN_TIMES.slow)) return;
  try {
    const choice = await starts.known(spec.type);
    if (choice && choice.mode === row.run?.mode) runTally.add(choice, ms, clock.now());
  } catch (error) {
    telemetry.log('warn', 'a run was not counted', { type: spec.type, error });
  }
}

/** Tells what this environment has counted for a while: one write for each type. What can't be told is dropped. Never throws. */
export async function tellRuns({ starts, runTally, clock, telemetry }: RunTallyDeps): Promise<void> {
  if (!starts || !runTally) return;
  await Promise.all(
    runTally.due(clock.now()).map(async ({ choice, counts }) => {
      try {
        await starts.add(choice, counts);
      } catch (error) {
        // It may have been added: counted twice it would say more than it is.
        telemetry.log('warn', 'run times were not told', { type: choice.type, ...counts, error });
      }
    }),
  );
}
