/** How the client repeats calls. */
export interface RetrySettings {
  /** Repeats after the first try, at most. */
  readonly retries: number;
  /** ms; the bound of the first delay, which doubles with each repeat. */
  readonly minDelayMs: number;
  /** ms; the cap of that bound. */
  readonly maxDelayMs: number;
  /** Seconds; a longer `Retry-After` ends the call with the error at hand, since the caller can use the time better. */
  readonly maxRetryAfterSeconds: number;
}

/**
 * Milliseconds until the next try, or `undefined` when there is to be none. Full jitter spreads clients that failed
 * together; a `Retry-After` is a floor under it, never shortened, and jittered upwards so that those who were told
 * the same time do not come back at once.
 *
 * @param repeat 1 for the first repeat
 * @param fraction uniform in [0, 1)
 */
export function retryDelayMs(
  settings: RetrySettings,
  repeat: number,
  retryAfterSeconds: number | undefined,
  fraction: number,
): number | undefined {
  if (repeat > settings.retries) return undefined;
  const jitter = fraction * Math.min(settings.maxDelayMs, settings.minDelayMs * 2 ** (repeat - 1));
  if (retryAfterSeconds === undefined) return jitter;
  return retryAfterSeconds > settings.maxRetryAfterSeconds ? undefined : retryAfterSeconds * 1_000 + jitter;
}

/** Seconds of a `Retry-After` header, given as a number or as an HTTP date; `undefined` when it is neither. */
export function parseRetryAfter(header: string | null, now: number): number | undefined {
  if (header === null) return undefined;
  const text = header.trim();
  if (/^\d+$/.test(text)) return Number(text);
  // Date.parse takes much that is no HTTP date ("-1" is a year); every HTTP date names its day of the week first.
  if (!/^[A-Za-z]{3}/.test(text)) return undefined;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.max(0, (at - now) / 1_000);
}

/** A longer timer overflows and fires at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/** Resolves after so many milliseconds. @throws the signal's reason as soon as it is aborted. */
export async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  await new Promise<void>((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, Math.min(ms, MAX_TIMER_MS));
    signal?.addEventListener('abort', end);
  });
  signal?.throwIfAborted();
}
