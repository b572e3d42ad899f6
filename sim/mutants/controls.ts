import type { Mutant, Runs } from './mutant.ts';

/** Random runs without a bug. */
export interface Control {
  readonly runs: Runs;
  readonly seeds: readonly number[];
}

/**
 * The control runs of what random runs have found: the seeds that found something, one control for all that have the same in
 * common. What such a run finds without a bug the bug was not needed for.
 */
export function controlsOf(
  report: readonly { readonly mutant: Mutant; readonly found: { readonly seed?: number } | undefined }[],
): readonly Control[] {
  const controls = new Map<string, { readonly runs: Runs; readonly seeds: Set<number> }>();
  for (const { mutant, found } of report) {
    if (!('seeds' in mutant) || found?.seed === undefined) continue;
    const { profile = {}, without = [] } = mutant;
    const runs = { profile, without };
    const key = JSON.stringify(runs);
    const control = controls.get(key) ?? { runs, seeds: new Set<number>() };
    controls.set(key, control);
    control.seeds.add(found.seed);
  }
  return [...controls.values()].map(({ runs, seeds }) => ({ runs, seeds: [...seeds].sort((a, b) => a - b) }));
}
