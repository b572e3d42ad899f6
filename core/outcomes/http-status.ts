/** Errors that are named after a status, as clients of common services name them. */
const STATUS_OF_NAME: Readonly<Record<string, number>> = {
  BadRequest: 400,
  Unauthorized: 401,
  Forbidden: 403,
  NotFound: 404,
  Conflict: 409,
  TooManyRequests: 429,
  InternalServerError: 500,
  BadGateway: 502,
  ServiceUnavailable: 503,
  GatewayTimeout: 504,
};

/** How HTTP clients say a status in words: axios, got, requests, urllib, httpx, Java's and others. */
const STATUS_IN_WORDS = [
  /\bstatus(?: ?code)?(?: of| was| is)?[ :=]{1,3}["'(]?([1-5]\d\d)\b/i,
  /\bresponse (?:code|status)[ :=]{1,3}([1-5]\d\d)\b/i,
  /\bHTTP(?: error|\/[\d.]{1,3})?[ :]{1,2}([1-5]\d\d)\b/i,
  /^([45]\d\d) (?:Client|Server) Error\b/,
  /\b(?:Client|Server) error '([45]\d\d) /,
  /\bresponded with (?:a )?([1-5]\d\d)\b/i,
];

/** The HTTP status that an error's name or message tells; `undefined` when it tells none. */
export function statusOfError(name: string, message: string): number | undefined {
  for (const words of STATUS_IN_WORDS) {
    const found = words.exec(message)?.[1];
    if (found !== undefined) return Number(found);
  }
  return STATUS_OF_NAME[name.replace(/(?:Error|Exception)$/, '')] ?? STATUS_OF_NAME[name];
}

/**
 * A number and the word after it. The number ends where it says so: a date, a time of day, a range or a number that goes on
 * is not taken for what it begins with.
 */
const WAIT_IN_WORDS = /\bretry[- ]after[ :=]{1,2}(\d{1,9}(?:\.\d{1,9})?)(?![\d:/-]|[.,]\d) ?([\p{L}\p{N}_]*)/iu;

const UNITS: readonly (readonly [names: readonly string[], ms: number])[] = [
  [['ms', 'millisecond', 'milliseconds'], 1],
  [['', 's', 'sec', 'second', 'seconds'], 1_000],
  [['m', 'min', 'minute', 'minutes'], 60_000],
  [['h', 'hour', 'hours'], 3_600_000],
];

/** ms: what a message asks to wait, such as "retry after 30 seconds"; a number alone is seconds, one of anything else is no wait. */
export function waitOfMessage(message: string): number | undefined {
  const [, number, unit = ''] = WAIT_IN_WORDS.exec(message) ?? [];
  const [, ms] = UNITS.find(([names]) => names.includes(unit.toLowerCase())) ?? [];
  return number === undefined || ms === undefined ? undefined : Math.round(Number(number) * ms);
}
