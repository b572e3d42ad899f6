import { Cron } from 'croner';
import { HostError, messageOf } from '../errors.ts';

/** When a schedule fires: the first time after a given one (milliseconds since the epoch), undefined for never again. */
export interface ScheduleTimes {
  isOneTime: boolean;
  next(after: number): number | undefined;
}

const UNIT_MS: Record<string, number> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

/**
 * Reads `at(…)`, `rate(…)` or `cron(…)`.
 * https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
 *
 * @param anchor where a rate counts from, in milliseconds since the epoch
 */
export function parseScheduleExpression(expression: string, timezone: string, anchor: number): ScheduleTimes {
  const [, kind = '', argument = ''] = /^(at|rate|cron)\((.*)\)$/.exec(expression.trim()) ?? [];
  switch (kind) {
    case 'at':
      return parseAt(expression, argument.trim(), timezone);
    case 'rate':
      return parseRate(expression, argument.trim(), anchor);
    case 'cron':
      return parseCron(expression, argument.trim(), timezone);
    default:
      throw invalid(expression, 'expected at(…), rate(…) or cron(…)');
  }
}

function parseAt(expression: string, argument: string, timezone: string): ScheduleTimes {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/.test(argument)) throw invalid(expression, 'expected at(yyyy-mm-ddThh:mm:ss)');
  let due: number | undefined;
  try {
    due = new Cron(argument, { timezone, allowPast: true }).getOnce()?.getTime();
  } catch (error) {
    throw invalid(expression, messageOf(error));
  }
  if (due === undefined) throw invalid(expression, 'not a time');
  const time = due;
  return { isOneTime: true, next: (after) => (time > after ? time : undefined) };
}

function parseRate(expression: string, argument: string, anchor: number): ScheduleTimes {
  const [, count, unit] = /^(\d+) (minute|hour|day)s?$/.exec(argument) ?? [];
  const period = Number(count) * (UNIT_MS[unit ?? ''] ?? 0);
  if (!(period > 0)) throw invalid(expression, 'expected rate(<n> minutes | hours | days)');
  return {
    isOneTime: false,
    next: (after) => (after < anchor ? anchor : anchor + (Math.floor((after - anchor) / period) + 1) * period),
  };
}

function parseCron(expression: string, argument: string, timezone: string): ScheduleTimes {
  const fields = argument.split(/\s+/);
  const [minute, hour, dayOfMonth = '', month, dayOfWeek = '', year] = fields;
  if (fields.length !== 6) throw invalid(expression, 'expected six fields: minute hour day-of-month month day-of-week year');
  if ((dayOfMonth === '?') === (dayOfWeek === '?')) {
    throw invalid(expression, 'exactly one of day-of-month and day-of-week must be ?');
  }
  let cron: Cron;
  try {
    const pattern = ['0', minute, hour, dayOfMonth, month, lastWeekday(dayOfWeek), year].map(withoutOpenSteps).join(' ');
    cron = new Cron(pattern, { timezone, mode: '7-part', alternativeWeekdays: true, paused: true });
  } catch (error) {
    throw invalid(expression, messageOf(error));
  }
  return { isOneTime: false, next: (after) => cron.nextRun(new Date(after))?.getTime() };
}

/** AWS writes the last Friday of the month `6L` or `FRIL`, croner `6#L`; a bare `L` is Saturday. */
function lastWeekday(field: string): string {
  if (field === 'L') return '7';
  return field.replace(/^(\d|[A-Za-z]{3})L$/, '$1#L');
}

/** AWS allows `5/15` for "from 5 on, every 15", which croner writes as a range. */
function withoutOpenSteps(field: string | undefined, index: number): string {
  const last = [59, 59, 23, 31, 12, 7, 2199][index];
  return (field ?? '').replace(/(^|,)(\d+)\/(\d+)/g, (_whole, before, from, step) => `${before}${from}-${last}/${step}`);
}

function invalid(expression: string, why: string): HostError {
  return new HostError('INVALID_SCHEDULE', `Invalid schedule expression ${expression}: ${why}.`);
}
