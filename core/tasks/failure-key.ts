import { decodeTime, encodeTime } from 'ulid';

const TIME_LENGTH = 10;
const NO_CHANCE = '0'.repeat(16);

/** Places a failure among all of its tenant: by its time, then by uid. 36 characters. */
export function failureKey(at: number, uid: string): string {
  return encodeTime(at, TIME_LENGTH) + uid;
}

/** What every failure at that time (ms) or later is not less than, and every earlier one is. */
export function firstFailureKeyAt(at: number): string {
  return encodeTime(at, TIME_LENGTH);
}

/** ms: the time of the latest failure whose key is less than this. */
export function timeBeforeKey(key: string): number {
  const time = decodeTime(key.slice(0, TIME_LENGTH) + NO_CHANCE);
  return key.length > TIME_LENGTH ? time : time - 1;
}

export const FAILURE_KEY = /^[0-9A-HJKMNP-TV-Z]{36}$/;
