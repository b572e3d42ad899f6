/** Causes that are followed for what they say of HTTP; a chain may be circular. */
const MAX_CAUSES = 4;

type Fields = Readonly<Record<string, unknown>>;

/** What an error tells of the answer that something downstream gave. */
export interface HttpFailure {
  readonly status?: number;
  /** ms from now, as a `Retry-After` header asks for. */
  readonly retryAfterMs?: number;
}

/**
 * Finds the HTTP status and the `Retry-After` in an error, where common libraries put them: on the error itself or on its
 * `response` (axios, got, fetch wrappers, Google's and Octokit's clients), in `$metadata` and `$response` (AWS SDK), or in
 * its causes, the outermost first.
 *
 * @param now ms since the epoch, from which a date is counted
 */
export function httpFailureOf(thrown: unknown, now: number): HttpFailure {
  let status: number | undefined;
  let retryAfterMs: number | undefined;
  let current: unknown = thrown;
  for (let depth = 0; depth <= MAX_CAUSES && isObject(current); depth++) {
    const places = [current, current['response'], current['$response'], current['$metadata']].filter(isObject);
    status ??= first(places, statusOf);
    retryAfterMs ??= first(places, (place) => waitOf(place['headers'], now));
    current = current['cause'];
  }
  return { ...(status !== undefined && { status }), ...(retryAfterMs !== undefined && { retryAfterMs }) };
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null;
}

function first<T>(places: readonly Fields[], look: (place: Fields) => T | undefined): T | undefined {
  for (const place of places) {
    const found = look(place);
    if (found !== undefined) return found;
  }
  return undefined;
}

function statusOf({ status, statusCode, httpStatusCode }: Fields): number | undefined {
  return [status, statusCode, httpStatusCode].map(Number).find((n) => Number.isInteger(n) && n >= 100 && n <= 599);
}

/** A `Retry-After` in seconds or as an HTTP date; `retry-after-ms`, which some services send beside it, comes first. */
function waitOf(headers: unknown, now: number): number | undefined {
  const ms = Number(headerOf(headers, 'retry-after-ms') ?? NaN);
  if (ms >= 0 && Number.isFinite(ms)) return Math.ceil(ms);
  const text = headerOf(headers, 'retry-after')?.trim();
  if (text === undefined || text === '') return undefined;
  if (/^\d{1,12}(?:\.\d+)?$/.test(text)) return Math.ceil(Number(text) * 1_000);
  // Anything else that Date takes for a time, such as "-5", is none.
  const at = /^[A-Za-z]{3}/.test(text) ? Date.parse(text) : NaN;
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}

/** Of a `Headers`, of classes like it, or of a plain object in any case. */
function headerOf(headers: unknown, name: string): string | undefined {
  if (!isObject(headers)) return undefined;
  const { get } = headers;
  const value: unknown =
    typeof get === 'function'
      ? (get as (name: string) => unknown).call(headers, name)
      : Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1];
  const one: unknown = Array.isArray(value) ? value[0] : value;
  return typeof one === 'string' || typeof one === 'number' ? String(one) : undefined;
}
