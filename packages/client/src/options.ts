import type { Fetch, TransportSettings } from './transport.ts';

export interface SluiceClientOptions {
  /** Where the platform is, without `/v1`: `https://abc.execute-api.eu-west-1.amazonaws.com`. */
  readonly baseUrl: string;
  /** An API token (`slc_…`), or what gives one at each try, for tokens that are renewed. */
  readonly token: string | (() => string | Promise<string>);
  /** @default the global `fetch` */
  readonly fetch?: Fetch | undefined;
  /**
   * Milliseconds, up to 1,000, that a {@link SluiceClient.submit} waits for others: those of the same window go out as
   * one call, at once when they are 500 or 4 MB. A lone one goes as it would without, but later by this. 0 turns it off.
   * @default 5
   */
  readonly coalesceMs?: number | undefined;
  /** Repeats of a call after its first try, on 429, 5xx and connection errors; 0 for none. @default 5 */
  readonly retries?: number | undefined;
  /** ms; the bound of the first random delay, doubled for each repeat. @default 200 */
  readonly minRetryDelayMs?: number | undefined;
  /** ms; the cap of that bound. @default 20_000 */
  readonly maxRetryDelayMs?: number | undefined;
  /** Seconds; a longer `Retry-After` ends the call with its error. @default 60 */
  readonly maxRetryAfterSeconds?: number | undefined;
  /** ms that one try may take, answer included. The API itself ends a call at 30 s. @default 35_000 */
  readonly timeoutMs?: number | undefined;
}

/** @throws TypeError naming the option that is wrong */
export function settingsOf(options: SluiceClientOptions): TransportSettings & { readonly coalesceMs: number } {
  return {
    baseUrl: checkedBaseUrl(options.baseUrl),
    token: checkedToken(options.token),
    // Called as a method of another object, a browser's fetch refuses.
    fetch: options.fetch ?? ((url, init) => fetch(url, init)),
    coalesceMs: checkedNumber('coalesceMs', options.coalesceMs ?? 5, 1_000),
    retries: checkedNumber('retries', options.retries ?? 5),
    minDelayMs: checkedNumber('minRetryDelayMs', options.minRetryDelayMs ?? 200),
    maxDelayMs: checkedNumber('maxRetryDelayMs', options.maxRetryDelayMs ?? 20_000),
    maxRetryAfterSeconds: checkedNumber('maxRetryAfterSeconds', options.maxRetryAfterSeconds ?? 60),
    timeoutMs: checkedNumber('timeoutMs', options.timeoutMs ?? 35_000),
  };
}

/** @throws TypeError for NaN, and for what is out of its range */
export function checkedNumber(name: string, value: number, max = Infinity): number {
  if (value >= 0 && value <= max) return value;
  throw new TypeError(`${name} is ${value}; give a number ${max === Infinity ? 'that is not negative' : `from 0 to ${max}`}`);
}

function checkedBaseUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new TypeError(`baseUrl is ${JSON.stringify(text)}; give the platform's URL, such as https://sluice.example.com`);
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
}

function checkedToken(token: SluiceClientOptions['token']): SluiceClientOptions['token'] {
  // Of an environment variable that is not set; an answer of 401 would not tell so.
  if (typeof token === 'function' || (typeof token === 'string' && token !== '')) return token;
  throw new TypeError('token is missing; give an API token, or a function that returns one');
}
