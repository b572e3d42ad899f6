import { encodeTime } from 'ulid';
import type { Random } from '../core/ports/random.ts';
import type { Stream } from './choices.ts';
import type { Key } from './hash.ts';

const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** The chance of one invocation: fractions are choices, names are the same whatever is chosen. */
export function chanceOf(stream: Stream): Random {
  return {
    fraction: () => stream.choose(1_000, 'chance') / 1_000,
    ulid: (now) => encodeTime(now, 10) + letters(stream.bits('ulid'), 16),
    nonce: () => letters(stream.bits('nonce'), 10),
  };
}

function letters([high, low]: Key, count: number): string {
  let text = '';
  for (let n = 0; n < count; n++) {
    const part = n % 2 === 0 ? high : low;
    text += CROCKFORD.charAt((part >>> ((n >> 1) * 3)) & 31);
  }
  return text;
}
