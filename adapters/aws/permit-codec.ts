import type { Aimd } from '../../core/limits/aimd.ts';
import type { Rate } from '../../core/limits/gcra.ts';
import type { Mark, Permit } from '../../core/ports/permit-store.ts';

/**
 * A permit as an element of its cell's set: `expiry|nonce`, the expiry in seconds, rounded up, in base 36. A lane cell is
 * written at every claim and every end, 1 KB at a time, so what is saved here is permits that one write unit holds.
 */
export function textOfPermit({ expiry, nonce }: Permit): string {
  return `${Math.ceil(expiry / 1000).toString(36)}|${nonce}`;
}

/** @returns nothing for what is no permit. */
export function permitOfText(text: string): Permit | undefined {
  const [expiry, nonce] = text.split('|');
  return expiry === undefined || nonce === undefined ? undefined : { expiry: Number.parseInt(expiry, 36) * 1000, nonce };
}

/** A mark of the retry budget: `at.firsts.retries` in base 36. */
export function textOfMark({ at, firsts, retries }: Mark): string {
  return [at, firsts, retries].map((n) => n.toString(36)).join('.');
}

/** @returns nothing for what is no mark. */
export function markOfText(text: unknown): Mark | undefined {
  if (typeof text !== 'string') return undefined;
  const [at, firsts, retries] = text.split('.').map((part) => Number.parseInt(part, 36));
  if (at === undefined || firsts === undefined || retries === undefined || Number.isNaN(at + firsts + retries)) return undefined;
  return { at, firsts, retries };
}

/** What a cell knows of its capacity beside the limit, in this order: later versions may add at the end. */
const AIMD_PARTS = [
  'top',
  'step',
  'round',
  'since',
  'lag',
  'cutAt',
  'flight',
  'late',
  'at',
  'good',
  'slow',
  'pause',
  'base',
  'spent',
  'most',
] as const;
/** What the first version knew. */
const LEAST_PARTS = 12;

/** All but the limit, which conditions compare: numbers in base 36, most of them small. */
export function textOfAimd(aimd: Aimd): string {
  return AIMD_PARTS.map((part) => aimd[part].toString(36)).join('.');
}

/** @returns nothing for what is none: the cell then begins anew. */
export function aimdOf(limit: unknown, text: unknown): Aimd | undefined {
  if (typeof limit !== 'number' || typeof text !== 'string') return undefined;
  const numbers = text.split('.').map((part) => Number.parseInt(part, 36));
  const part = (n: number): number => numbers[n] ?? (n < LEAST_PARTS ? Number.NaN : 0);
  const parts = Object.fromEntries(AIMD_PARTS.map((name, n) => [name, part(n)])) as Omit<Aimd, 'limit'>;
  return Object.values(parts).some(Number.isNaN) ? undefined : { limit, ...parts };
}

/** The limits of parts of resources' rates, which conditions compare: `seconds:limit` in base 36, one after the other. */
export function textOfRates(rates: readonly Rate[]): string {
  return rates.map(({ perSeconds, limit }) => `${perSeconds.toString(36)}:${limit.toString(36)}`).join('.');
}

/** @returns nothing for what are none. */
export function ratesOfText(text: unknown): readonly Rate[] | undefined {
  if (typeof text !== 'string') return undefined;
  const rates = text.split('.').map((part) => {
    const [perSeconds = Number.NaN, limit = Number.NaN] = part.split(':').map((number) => Number.parseInt(number, 36));
    return { perSeconds, limit };
  });
  return rates.some(({ perSeconds, limit }) => Number.isNaN(perSeconds + limit)) ? undefined : rates;
}
