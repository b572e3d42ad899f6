import type { Cell, RateShare } from '../../core/ports/permit-store.ts';
import type { Item } from './answers.ts';
import { ratesOfText, textOfRates } from './permit-codec.ts';
import { NO_PARTS, partTat, type Parts } from './permit-expressions.ts';

/** The parts of resources' rates that a cell has. */
export function rateShareOf(item: Item): Pick<Cell, 'rateShare'> {
  const windows = ratesOfText(item['sr'])?.map((rate) => ({ ...rate, tat: Number(item[partTat(rate)] ?? 0) }));
  return windows ? { rateShare: { version: Number(item['rv'] ?? 0), windows } } : {};
}

/** Replaces them, where they are as they were seen. The version stays where none are left: a late write finds it. */
export function partsOfRateShare({ version, windows }: RateShare, { rateShare }: Cell): Parts {
  const seen = rateShare?.windows ?? [];
  const kept = new Set(windows.map(partTat));
  const gone = seen.map(partTat).filter((name) => !kept.has(name));
  return {
    set: ['rv = :version', ...(windows.length > 0 ? ['sr = :parts'] : []), ...windows.map((window, n) => `${partTat(window)} = :tat${n}`)],
    add: [],
    remove: [...gone, ...(windows.length > 0 ? [] : ['sr'])],
    conditions: [
      '(attribute_not_exists(rv) OR rv < :version)',
      seen.length > 0 ? 'sr = :seen' : NO_PARTS,
      ...seen.map((window, n) => `${partTat(window)} = :at${n}`),
    ],
    values: {
      ':version': version,
      ...(windows.length > 0 && { ':parts': textOfRates(windows) }),
      ...(seen.length > 0 && { ':seen': textOfRates(seen) }),
      ...Object.fromEntries(windows.map(({ tat }, n) => [`:tat${n}`, tat])),
      ...Object.fromEntries(seen.map(({ tat }, n) => [`:at${n}`, tat])),
    },
  };
}
