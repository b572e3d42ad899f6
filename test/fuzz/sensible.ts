import { LIMITS, type RetryOverride, type Submission } from '@sluice/contracts';
import fc from 'fast-check';
import type { Overrides } from './values.ts';

type Fields = Readonly<Record<string, unknown>>;

const DAY = 86_400;
/** Ends of times that a request may name, years from this one on: the same for every run of a seed in a year. */
const YEAR = new Date().getUTCFullYear();
const SOON = Date.UTC(YEAR + 1, 1);
const LATEST = Date.UTC(YEAR + 4, 11);
const AFTER_ALL = `${YEAR + 10}-01-01T00:00:00Z`;

const CRONS = ['* * * * *', '30 2 * * *', '*/10 * * * * *', '0 0 29 2 *', '@hourly', '0 9 * * MON-FRI'];
const ZONES = ['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Pacific/Apia'];

/**
 * Keeps what is made from the schemas to what fields ask of each other, where the document says it in words or with
 * `not`; and keeps ten thousand submissions from being ten thousand runs.
 */
export const SENSIBLE: Overrides = {
  Submission: (own) => fc.tuple(own, fc.integer({ min: DAY, max: LIMITS.delaySeconds }), later(), fc.boolean()).map(farAway),
  RetryRule: (own) => own.map((rule) => fittingRule(rule as Fields)),
  RetryOverride: (own) => own.map((retry) => consistentPolicy(retry as RetryOverride)),
  Misfire: (own) => own.map((misfire) => withoutIf(misfire as Fields, 'max', (misfire as Fields)['policy'] !== 'all')),
  ScheduleRequest: timed,
  PreviewRequest: timed,
  RedriveRequest: (own) => own.map((redrive) => dryRun(redrive as Fields)),
  RetryRequest: (own) => own.map((retry) => ((retry as Fields)['payload'] === undefined ? {} : retry)),
};

const later = (): fc.Arbitrary<string> => fc.integer({ min: SOON, max: LATEST }).map((at) => new Date(at).toISOString());

function withoutIf(value: Fields, name: string, leaveOut: boolean): Fields {
  const { [name]: _, ...rest } = value;
  return leaveOut ? rest : value;
}

function farAway([given, delaySeconds, runAt, byTime]: readonly [unknown, number, string, boolean]): unknown {
  const { runAt: _r, delaySeconds: _d, expiresAt, ...rest } = given as Submission;
  return { ...rest, ...(byTime ? { runAt } : { delaySeconds }), ...(expiresAt !== undefined && { expiresAt: AFTER_ALL }) };
}

/** A rule that names something to fit, and waits only for what is tried again. */
function fittingRule(rule: Fields): Fields {
  const fits = rule['error'] ?? rule['message'] ?? rule['status'];
  return { ...withoutIf(rule, 'afterSeconds', rule['as'] === 'fatal'), ...(fits === undefined && { error: '*' }) };
}

/** Delays in their order, and the bytes of all rules together. */
function consistentPolicy(retry: RetryOverride): unknown {
  const { minDelaySeconds = 0, maxDelaySeconds = Infinity, rules, ...rest } = retry;
  const inOrder = minDelaySeconds <= maxDelaySeconds ? retry : rest;
  const fit = rules?.filter((_, at) => Buffer.byteLength(JSON.stringify(rules.slice(0, at + 1))) <= LIMITS.retryRulesBytes);
  return { ...inOrder, ...(fit && { rules: fit }) };
}

/** One timing that is one, years ahead. */
function timed(own: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  const timing = fc.oneof(
    fc.record({ cron: fc.constantFrom(...CRONS) }),
    fc.record({ everySeconds: fc.integer({ min: LIMITS.jitterSeconds + 1, max: LIMITS.scheduleEverySeconds }) }),
  );
  return fc.tuple(own, timing, fc.constantFrom(...ZONES), later()).map(([given, timing, timezone, start]) => {
    const { cron: _c, everySeconds: _e, end, ...rest } = given as Fields;
    return { ...rest, ...timing, timezone, start, ...(end !== undefined && { end: AFTER_ALL }) };
  });
}

/** Either of the two ways to say which; only told, as redriven tasks would run. */
function dryRun(redrive: Fields): Fields {
  const { filter, ids, ...rest } = redrive;
  return { ...rest, ...(ids === undefined ? { filter: withoutIf((filter ?? {}) as Fields, 'to', true) } : { ids }), dryRun: true };
}
