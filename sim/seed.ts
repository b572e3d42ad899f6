import { recorded, replayed, seeded, type Chosen, type ChoiceList } from './choices.ts';
import { runOnce, type RunOptions, type RunResult } from './run.ts';

type Options = Omit<RunOptions, 'source'>;

/** One seed, with every choice that was not the plain one. */
export async function runSeed(seed: number, options: Options = {}): Promise<RunResult & { readonly chosen: ChoiceList }> {
  const chosen = new Map<number, Chosen>();
  const result = await runOnce({ ...options, source: recorded(seeded(seed), chosen) });
  return { ...result, chosen };
}

/** The history that a list of choices makes. */
export function runList(chosen: ChoiceList, options: Options = {}): Promise<RunResult> {
  return runOnce({ ...options, source: replayed(chosen) });
}
