import { ApiError } from '@sluice/client';
import { setTimeout as sleep } from 'node:timers/promises';

const TRIES = 12;
const PAUSE_MS = 500;

/**
 * A caller that makes a call again which the client does not repeat on its own.
 * @param done a refusal of a repeat which says that an earlier try was done
 */
export async function again<T>(call: () => Promise<T>): Promise<T>;
export async function again<T>(call: () => Promise<T>, done: string): Promise<T | undefined>;
export async function again<T>(call: () => Promise<T>, done?: string): Promise<T | undefined> {
  for (let tries = 1; ; tries++) {
    try {
      return await call();
    } catch (error) {
      if (error instanceof ApiError && error.code === done) return undefined;
      if (tries === TRIES) throw error;
      await sleep(PAUSE_MS);
    }
  }
}
