import * as z from 'zod';

/**
 * A count in a query, from 1: a number, or its decimal digits. What JavaScript would convert as well (`0x10`, `1e1`, ` 1`,
 * nothing at all) is none.
 */
export function wholeNumber(most: number) {
  const error = ({ input }: { input?: unknown }): string => `it is ${JSON.stringify(input)}; it takes a whole number from 1 to ${most}`;
  return z.preprocess(
    (given) => (typeof given === 'string' && /^\d+$/.test(given) ? Number(given) : given),
    z.number({ error }).int({ error }).min(1, { error }).max(most, { error }),
  );
}
