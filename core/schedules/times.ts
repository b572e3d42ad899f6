import { SluiceError } from '@sluice/contracts';
import { Cron } from 'croner';
import { hash32 } from '../routing/shuffle-shard.ts';

/** When a schedule is to fire. */
export interface Timing {
  readonly cron?: string | undefined;
  readonly everySeconds?: number | undefined;
  readonly timezone: string;
  /** ms */
  readonly start?: number | undefined;
  /** ms */
  readonly end?: number | undefined;
  /** ms: what `everySeconds` counts from. */
  readonly anchor: number;
}

/** The first occurrence after a time (ms); `undefined` when there is none any more. */
export type NextAfter = (after: number) => number | undefined;

const HELP = 'see docs/schedules.md';
/** Also keeps out dates, which croner takes too, and the nicknames that mean an event. */
const FIELDS = /^(@(yearly|annually|monthly|weekly|daily|midnight|hourly)|\S+( \S+){4,5})$/i;

/**
 * The occurrences of a schedule, each a whole number of ms, strictly increasing.
 *
 * Cron expressions are read by croner. At changes of the clocks it does as Vixie cron does (P. Vixie, cron(8), as Debian
 * ships it): an expression whose times have neither `*` nor a step runs once right after an hour that is left out, and
 * once, the first time, in an hour that comes twice; any other follows the clock on the wall as it runs.
 *
 * @throws SluiceError `bad_request` for an expression or a zone that is none
 */
export function occurrencesOf(timing: Timing): NextAfter {
  checkZone(timing.timezone);
  const next = timing.cron === undefined ? everyOf(timing.everySeconds ?? 1, timing.anchor) : cronOf(timing.cron, timing.timezone);
  const { start, end } = timing;
  return (after) => {
    const at = next(start === undefined ? after : Math.max(after, start - 1));
    return at !== undefined && (end === undefined || at < end) ? at : undefined;
  };
}

function everyOf(seconds: number, anchor: number): NextAfter {
  const period = seconds * 1000;
  return (after) => (after < anchor ? anchor : anchor + (Math.floor((after - anchor) / period) + 1) * period);
}

function cronOf(given: string, timezone: string): NextAfter {
  const expression = given.trim().replaceAll(/\s+/g, ' ');
  if (!FIELDS.test(expression)) {
    throw new SluiceError(
      'bad_request',
      `cron is "${given}"; it takes five fields (minute hour day-of-month month day-of-week), or six with seconds in front, ${HELP}`,
    );
  }
  let cron: Cron;
  try {
    cron = new Cron(expression, { timezone, mode: '5-or-6-parts', fixedTimeRule: 'no-wildcard', paused: true });
  } catch (error) {
    const why = error instanceof Error ? error.message.replace(/^CronPattern: /, '') : String(error);
    throw new SluiceError('bad_request', `cron is "${given}", which is no cron expression: ${why} Mend it, ${HELP}`);
  }
  return (after) => cron.nextRun(new Date(after))?.getTime();
}

/** Offsets such as +01:00 are left out: they know no summer time, and `Etc/GMT-1` says the same. */
function checkZone(timezone: string): void {
  try {
    if (/^[A-Za-z]/.test(timezone)) return void new Intl.DateTimeFormat('en', { timeZone: timezone });
  } catch {
    // Told below.
  }
  throw new SluiceError('bad_request', `timezone is "${timezone}"; it takes an IANA name such as Europe/Berlin, America/New_York or UTC`);
}

/** ms after its time that an occurrence comes: uniform, and the same each time that it is asked for. */
export function jitterOf(tenant: string, name: string, at: number, jitterSeconds: number): number {
  return Math.floor((hash32(`${tenant}#${name}#${at}`) / 2 ** 32) * jitterSeconds * 1000);
}

/** The next times, up to so many. */
export function nextTimes(next: NextAfter, after: number, count: number): number[] {
  const times: number[] = [];
  for (let at = next(after); at !== undefined && times.length < count; at = next(at)) times.push(at);
  return times;
}

/** An instant as clocks in a zone show it, with their offset. */
export function localTime(at: number, timezone: string): string {
  const parts = new Intl.DateTimeFormat('en', {
    timeZone: timezone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    timeZoneName: 'longOffset',
  }).formatToParts(new Date(at));
  const part = (type: Intl.DateTimeFormatPartTypes) => parts.find((p) => p.type === type)?.value ?? '';
  const offset = part('timeZoneName').replace('GMT', '');
  return `${part('year').padStart(4, '0')}-${part('month')}-${part('day')}T${part('hour')}:${part('minute')}:${part('second')}${offset || 'Z'}`;
}
