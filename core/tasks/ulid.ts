import { decodeTime, encodeTime } from 'ulid';

const RANDOM_LENGTH = 16;
const FIRST_RANDOM = '0'.repeat(RANDOM_LENGTH);

/** The first ULID of a millisecond: every uid made at that time or later is not less, every earlier one is. */
export function firstUlidAt(at: number): string {
  return encodeTime(at, 26 - RANDOM_LENGTH) + FIRST_RANDOM;
}

/** ms: the time of the newest uid that is less than this one. */
export function timeBefore(ulid: string): number {
  const time = decodeTime(ulid);
  return ulid.endsWith(FIRST_RANDOM) ? time - 1 : time;
}
