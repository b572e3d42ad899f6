import type { Violation } from './checks/checks.ts';
import type { ChoiceList, Chosen } from './choices.ts';
import type { RunOptions } from './run.ts';
import { runList } from './seed.ts';

type Entry = readonly [number, Chosen];

export interface Shrunk {
  /** The choices that are left. */
  readonly chosen: ChoiceList;
  readonly violations: readonly Violation[];
  readonly history: readonly string[];
  /** Runs that it took. */
  readonly runs: number;
}

/** Runs that one shrinking may take. */
const MOST_RUNS = 3_000;

/**
 * The shortest history that shows a violation of the same kind: choices are made plain as long as it stays, first all of
 * a kind at once (a fault, a client's call, a way's length), then parts and single ones by delta debugging (Zeller and
 * Hildebrandt 2002), then what is left is made smaller.
 */
export async function shrink(
  failing: ChoiceList,
  options: Omit<RunOptions, 'source' | 'history'> = {},
  mostRuns = MOST_RUNS,
): Promise<Shrunk> {
  let runs = 0;
  const kind = (await runList(failing, options)).violations[0]?.kind;
  if (kind === undefined) throw new Error('nothing is violated, so there is nothing to shrink');
  const fails = async (entries: readonly Entry[]): Promise<boolean> => {
    runs += 1;
    return (await runList(new Map(entries), options)).violations.some((violation) => violation.kind === kind);
  };

  let left: readonly Entry[] = [...failing];
  for (const what of new Set(left.map(([, chosen]) => chosen.what))) {
    const without = left.filter(([, chosen]) => chosen.what !== what);
    if (runs < mostRuns && (await fails(without))) left = without;
  }
  for (let size = Math.ceil(left.length / 2); size >= 1 && runs < mostRuns; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < left.length && runs < mostRuns;) {
      const without = [...left.slice(0, from), ...left.slice(from + size)];
      if (await fails(without)) left = without;
      else from += size;
    }
  }
  // Once more one by one: what was needed before may not be any more.
  for (let from = 0; from < left.length && runs < mostRuns;) {
    const without = left.filter((_, i) => i !== from);
    if (await fails(without)) left = without;
    else from += 1;
  }
  for (let i = 0; i < left.length && runs < mostRuns; i++) left = await smaller(left, i, fails);
  const { violations, history } = await runList(new Map(left), { ...options, history: true });
  return { chosen: new Map(left), violations, history, runs };
}

/** The least value of one choice that still shows it, by halving. */
async function smaller(
  entries: readonly Entry[],
  index: number,
  fails: (entries: readonly Entry[]) => Promise<boolean>,
): Promise<readonly Entry[]> {
  let best = entries;
  const [key, chosen] = entries[index] as Entry;
  let low = 1;
  let high = chosen.value;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const tried = entries.map((entry, i): Entry => (i === index ? [key, { ...chosen, value: middle }] : entry));
    if (await fails(tried)) {
      best = tried;
      high = middle;
    } else low = middle + 1;
  }
  return best;
}
