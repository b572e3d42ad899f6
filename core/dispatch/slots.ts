import type { Lane, Place } from '../ports/permit-store.ts';
import { hintLater } from './look.ts';
import { processWorks, type ProcessOptions } from './process.ts';
import { STAY, type DispatchDeps, type Work, type WorkEnd } from './work.ts';

/** ms for which claims and ends gather, so that they share a call. */
const LINGER_MS = 5;

/** The hints of a lane's backlog that are being worked off. */
export interface Slots {
  /** Whether a hint is being worked off, so that it is not taken a second time. */
  readonly holds: (work: Work) => boolean;
  /**
   * Resolves when each of them is claimed or dealt with.
   * @param most permits that each cell is asked for, some of them beyond its limit @returns whether any came to anything
   */
  readonly start: (works: readonly Work[], most?: ProcessOptions['most']) => Promise<boolean>;
  /** The lane is about to be looked at: what has ended before is old news. */
  readonly look: () => void;
  /** Resolves when one has ended since the last look. @returns false where none has, and none is being worked off. */
  readonly ended: () => Promise<boolean>;
  /** Resolves when all have ended. @throws the first error of a call about the backlog */
  readonly idle: () => Promise<void>;
}

/**
 * Works off hints of a backlog side by side. One whose attempt has been claimed leaves the backlog at once, for its lease-end
 * hint is durable: nobody else finds it there while it runs.
 */
export function createSlots(deps: DispatchDeps, lane: Lane, options: ProcessOptions): Slots {
  const held = new Set<string>();
  const batches = new Set<Promise<unknown>>();
  let failure: { readonly error: unknown } | undefined;
  let hasNews = false;
  let wake: (() => void)[] = [];
  const notify = (): void => {
    hasNews = true;
    const waiting = wake;
    wake = [];
    for (const each of waiting) each();
  };
  const failed = (error: unknown): void => void (failure ??= { error });

  let claimed: Work[] = [];
  const removeClaimed = async (): Promise<void> => {
    await deps.timer.sleep(LINGER_MS);
    const works = claimed;
    claimed = [];
    await remove(deps, lane, works);
  };

  const start: Slots['start'] = async (works, most) => {
    for (const work of works) held.add(keyOf(work));
    const gone = new Set<Work>();
    const removals: Promise<void>[] = [];
    const toBegin = new Set(works);
    let allBegun = (): void => undefined;
    const begun = new Promise<void>((resolve) => (allBegun = resolve));
    const begins = (work: Work): void => {
      toBegin.delete(work);
      if (toBegin.size === 0) allBegun();
    };
    const onRun = (work: Work): void => {
      gone.add(work);
      if (claimed.push(work) === 1) removals.push(removeClaimed().catch(failed));
      begins(work);
    };
    const onEnd = (work: Work): void => {
      begins(work);
      notify();
    };
    const whole = async (): Promise<void> => {
      const ends = await processWorks(deps, works, { ...options, most, onRun, onEnd });
      const others = await Promise.all(
        works.map(async (work, i) => (!gone.has(work) && (await mayGo(deps, work, ends[i] ?? STAY)) ? [work] : [])),
      );
      await Promise.all([remove(deps, lane, others.flat()), ...removals]);
      for (const work of others.flat()) gone.add(work);
    };
    const batch = whole()
      .catch(failed)
      .finally(() => {
        for (const work of works) held.delete(keyOf(work));
        batches.delete(batch);
        notify();
      });
    batches.add(batch);
    await begun;
    // Where none of them runs, what became of them is known when all is done.
    if (gone.size === 0) await batch;
    return gone.size > 0;
  };

  return {
    holds: (work) => held.has(keyOf(work)),
    look: () => void (hasNews = false),
    start,
    ended: async () => {
      if (batches.size === 0 && !hasNews) return false;
      if (!hasNews) await new Promise<void>((resolve) => wake.push(resolve));
      // Attempts that end together are followed together.
      await deps.timer.sleep(LINGER_MS);
      return true;
    },
    idle: async () => {
      while (batches.size > 0) await Promise.all(batches);
      if (failure) throw failure.error;
    },
  };
}

function keyOf({ task, place }: Work): string {
  return `${place}#${task.uid}#${task.seq}#${task.at}`;
}

async function remove({ backlog }: DispatchDeps, lane: Lane, works: readonly Work[]): Promise<void> {
  for (const place of ['permits', 'budget'] satisfies Place[]) {
    const tasks = works.flatMap((work) => (work.place === place ? [work.task] : []));
    if (tasks.length > 0) await backlog.remove(lane, tasks, place);
  }
}

/** What is to be looked at again for another reason than a full lane becomes a message: its lane does not wait behind it. */
async function mayGo(deps: DispatchDeps, work: Work, end: WorkEnd): Promise<boolean> {
  if (end.hint === 'done') return true;
  return end.full !== true && (await hintLater(deps, work, end.seconds * 1000)).hint === 'done';
}
