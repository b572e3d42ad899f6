import { ApiError, ConnectionError } from '@sluice/client';

/** What should have come to pass has not, in all the time that there was: the product has lost it, or the machine is too busy. */
export class PatienceError extends Error {
  override readonly name = 'PatienceError';
}

/** Whether a failure may be the machine's: something came too late, or gave no answer. What was answered wrongly is not. */
export function mayBeLate(error: unknown): boolean {
  if (error instanceof ApiError) return error.status >= 500;
  return error instanceof PatienceError || error instanceof ConnectionError;
}
