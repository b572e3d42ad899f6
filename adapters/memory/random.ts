import { encodeTime } from 'ulid';
import type { Random } from '../../core/ports/random.ts';

const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** Chance that is the same in every run of one seed (mulberry32). Never for names that must not be guessed. */
export function createMemoryRandom(seed = 1): Random {
  let state = seed >>> 0;
  const fraction = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const letters = (count: number): string => Array.from({ length: count }, () => CROCKFORD.charAt(Math.floor(fraction() * 32))).join('');
  return { fraction, ulid: (now) => encodeTime(now, 10) + letters(16), nonce: () => letters(10) };
}
