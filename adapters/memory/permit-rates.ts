import { stepped, type RateStep } from '../../core/limits/gcra.ts';
import type { RateWindow } from '../../core/limits/rate-share.ts';
import type { Cell } from '../../core/ports/permit-store.ts';

type Paced = Pick<Cell, 'tats' | 'rateShare'>;

/** Whether all steps of rates hold, for the parts of resources' rates that the cell has, and for no others. */
export function passes({ tats, rateShare }: Paced, rates: readonly RateStep[], unrated: boolean): boolean {
  if (unrated && rateShare) return false;
  const [own, parts] = [rates.filter(({ part }) => !part), rates.flatMap(({ part }) => part ?? [])];
  if (parts.length > 0 && limitsOf(parts) !== limitsOf(rateShare?.windows ?? [])) return false;
  return (
    own.every((step, i) => stepped(tats?.[i], step) !== undefined) &&
    rates.every((step) => !step.part || stepped(tatOf(rateShare?.windows, step), step) !== undefined)
  );
}

/** The TATs of a cell after steps that hold. */
export function steppedAll({ tats, rateShare }: Paced, rates: readonly RateStep[]): Paced {
  const own = rates.filter(({ part }) => !part);
  const windows = rateShare?.windows.map((window) => {
    const step = rates.find(({ part }) => part?.perSeconds === window.perSeconds);
    return { ...window, tat: (step && stepped(window.tat, step)) ?? window.tat };
  });
  return {
    ...(own.length > 0 && { tats: own.map((step, i) => stepped(tats?.[i], step)) }),
    ...(rateShare && windows && { rateShare: { ...rateShare, windows } }),
  };
}

export function sameWindows(a: readonly RateWindow[] = [], b: readonly RateWindow[] = []): boolean {
  return limitsOf(a) === limitsOf(b) && a.every(({ tat }, i) => tat === b[i]?.tat);
}

function limitsOf(rates: readonly { readonly limit: number; readonly perSeconds: number }[]): string {
  return rates.map(({ limit, perSeconds }) => `${perSeconds}:${limit}`).join('.');
}

function tatOf(windows: readonly RateWindow[] = [], { part }: RateStep): number | undefined {
  return windows.find(({ perSeconds }) => perSeconds === part?.perSeconds)?.tat;
}
