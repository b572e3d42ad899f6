import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jitterOf, localTime, nextTimes, occurrencesOf, type Timing } from '../../../core/schedules/times.ts';

const DAY_MS = 86_400_000;
const timing = (over: Partial<Timing>): Timing => ({ timezone: 'UTC', anchor: 0, ...over });
/** Occurrences from one time to another, as clocks in the zone show them. */
function local(cron: string, timezone: string, from: string, to: string): string[] {
  const next = occurrencesOf(timing({ cron, timezone }));
  const times: string[] = [];
  for (let at = next(Date.parse(from) - 1); at !== undefined && at < Date.parse(to); at = next(at)) times.push(localTime(at, timezone));
  return times;
}
const clock = (times: string[]) => times.map((time) => time.slice(11, 16));

describe('a day of 23 hours', () => {
  // Berlin leaves out 02:00 to 03:00, New York likewise, Lord Howe 02:00 to 02:30, Havana 00:00 to 01:00.
  it.each([
    ['30 2 * * *', 'Europe/Berlin', '2026-03-29T03:00:00+02:00'],
    ['30 2 * * *', 'America/New_York', '2026-03-08T03:00:00-04:00'],
    ['15 2 * * *', 'Australia/Lord_Howe', '2026-10-04T02:30:00+11:00'],
    ['0 0 * * *', 'America/Havana', '2026-03-08T01:00:00-04:00'],
  ])('%s in %s runs once, right after what is left out', (cron, timezone, expected) => {
    const at = Date.parse(expected);
    const [from, to] = [new Date(at - DAY_MS / 2).toISOString(), new Date(at + DAY_MS / 2).toISOString()];
    expect(local(cron, timezone, from, to)).toEqual([expected]);
  });

  it('some times that are left out are one run', () => {
    expect(local('0,30 2,3 * * *', 'Europe/Berlin', '2026-03-29T00:00:00+01:00', '2026-03-30T00:00:00+02:00')).toEqual([
      '2026-03-29T03:00:00+02:00',
      '2026-03-29T03:30:00+02:00',
    ]);
  });

  it('every hour and every quarter go on as time does', () => {
    const day = ['Europe/Berlin', '2026-03-29T00:00:00+01:00', '2026-03-30T00:00:00+02:00'] as const;
    expect(clock(local('0 * * * *', ...day)).slice(0, 4)).toEqual(['00:00', '01:00', '03:00', '04:00']);
    expect(local('0 * * * *', ...day)).toHaveLength(23);
    expect(local('*/15 * * * *', ...day)).toHaveLength(92);
  });

  it('what names the hour with a step has no run in it', () => {
    expect(local('*/15 2 * * *', 'Europe/Berlin', '2026-03-29T00:00:00+01:00', '2026-03-30T00:00:00+02:00')).toEqual([]);
  });

  it('a half hour is left out by Lord Howe', () => {
    const day = ['Australia/Lord_Howe', '2026-10-04T00:00:00+10:30', '2026-10-05T00:00:00+11:00'] as const;
    expect(local('*/15 * * * *', ...day)).toHaveLength(94);
  });
});

describe('a day of 25 hours', () => {
  it.each([
    ['30 2 * * *', 'Europe/Berlin', '2026-10-25T02:30:00+02:00'],
    ['30 1 * * *', 'America/New_York', '2026-11-01T01:30:00-04:00'],
    ['45 1 * * *', 'Australia/Lord_Howe', '2026-04-05T01:45:00+11:00'],
  ])('%s in %s runs once, the first time', (cron, timezone, expected) => {
    const at = Date.parse(expected);
    const [from, to] = [new Date(at - DAY_MS / 2).toISOString(), new Date(at + DAY_MS / 2).toISOString()];
    expect(local(cron, timezone, from, to)).toEqual([expected]);
  });

  it('every hour and every quarter go on as time does', () => {
    const day = ['Europe/Berlin', '2026-10-25T00:00:00+02:00', '2026-10-26T00:00:00+01:00'] as const;
    expect(clock(local('0 * * * *', ...day)).slice(0, 5)).toEqual(['00:00', '01:00', '02:00', '02:00', '03:00']);
    expect(local('0 * * * *', ...day)).toHaveLength(25);
    expect(local('*/15 * * * *', ...day)).toHaveLength(100);
    expect(local('*/15 2 * * *', ...day)).toHaveLength(8);
  });

  it('a half hour comes twice at Lord Howe', () => {
    const day = ['Australia/Lord_Howe', '2026-04-05T00:00:00+11:00', '2026-04-06T00:00:00+10:30'] as const;
    expect(local('*/15 * * * *', ...day)).toHaveLength(98);
  });
});

describe('a zone without summer time', () => {
  it.each(['Asia/Tokyo', 'UTC', 'Asia/Kolkata'])('%s has 365 daily runs of 24 hours', (timezone) => {
    const next = occurrencesOf(timing({ cron: '30 2 * * *', timezone }));
    const times = nextTimes(next, Date.UTC(2026, 0, 1), 365);
    expect(new Set(times.slice(1).map((at, i) => at - (times[i] ?? 0)))).toEqual(new Set([DAY_MS]));
  });
});

describe('a period', () => {
  it('counts real seconds from its start, whatever clocks do', () => {
    const start = Date.parse('2026-03-28T02:30:00+01:00');
    const next = occurrencesOf(timing({ everySeconds: 86_400, timezone: 'Europe/Berlin', start, anchor: start }));
    const times = nextTimes(next, 0, 3);
    expect(times.map((at) => localTime(at, 'Europe/Berlin').slice(11))).toEqual(['02:30:00+01:00', '03:30:00+02:00', '03:30:00+02:00']);
    expect(times.map((at) => (at - start) / DAY_MS)).toEqual([0, 1, 2]);
  });

  it('ends before its end', () => {
    const next = occurrencesOf(timing({ everySeconds: 10, anchor: 5_000, start: 5_000, end: 25_000 }));
    expect(nextTimes(next, 0, 9)).toEqual([5_000, 15_000]);
  });
});

describe('cron expressions', () => {
  it.each([
    ['0 0 L * *', ['2026-01-31', '2026-02-28', '2026-03-31']],
    ['0 0 * * 5#2', ['2026-01-09', '2026-02-13', '2026-03-13']],
    ['0 0 * * FRI#L', ['2026-01-30', '2026-02-27', '2026-03-27']],
    ['0 0 15W * *', ['2026-01-15', '2026-02-16', '2026-03-16']],
    ['0 0 29 2 *', ['2028-02-29', '2032-02-29', '2036-02-29']],
    ['0 0 13 * FRI', ['2026-01-02', '2026-01-09', '2026-01-13']],
    ['0 0 13 * +FRI', ['2026-02-13', '2026-03-13', '2026-11-13']],
    ['@monthly', ['2026-02-01', '2026-03-01', '2026-04-01']],
  ])('%s', (cron, expected) => {
    const times = nextTimes(occurrencesOf(timing({ cron })), Date.UTC(2026, 0, 1, 1), 3);
    expect(times.map((at) => new Date(at).toISOString().slice(0, 10))).toEqual(expected);
  });

  it('with six fields have seconds', () => {
    expect(nextTimes(occurrencesOf(timing({ cron: '*/20 * * * * *' })), 500, 3)).toEqual([20_000, 40_000, 60_000]);
  });

  it.each(['', '* * * *', '* * * * * * *', '60 * * * *', 'x * * * *', '2026-01-01T00:00:00Z', '@reboot', '5/15 * * * *'])(
    'are not "%s"',
    (cron) => {
      expect(() => occurrencesOf(timing({ cron }))).toThrow(expect.objectContaining({ code: 'bad_request' }));
    },
  );

  it.each(['Nope/X', '+05:00', '', 'Mars'])('know no zone "%s"', (timezone) => {
    expect(() => occurrencesOf(timing({ cron: '* * * * *', timezone }))).toThrow(/IANA name/);
  });
});

const ZONES = ['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'America/Havana', 'Africa/Casablanca', 'Asia/Tokyo', 'UTC'];
const field = (from: number, to: number) =>
  fc.oneof(
    fc.constant('*'),
    fc.integer({ min: from, max: to }).map(String),
    fc.integer({ min: 2, max: 15 }).map((step) => `*/${step}`),
    fc.uniqueArray(fc.integer({ min: from, max: to }), { minLength: 2, maxLength: 4 }).map((list) => list.join(',')),
  );
const crons = fc.tuple(
  field(0, 59),
  field(0, 23),
  fc.constantFrom('*', '*', '1', 'L'),
  fc.constantFrom('*', '3,10'),
  fc.constantFrom('*', '0', '1-5'),
);

describe('occurrences', () => {
  it('strictly increase, and are the same wherever one begins', () => {
    fc.assert(
      fc.property(crons, fc.constantFrom(...ZONES), fc.integer({ min: 0, max: 400 * DAY_MS }), (fields, timezone, offset) => {
        const next = occurrencesOf(timing({ cron: fields.join(' '), timezone }));
        const from = Date.UTC(2026, 0, 1) + offset;
        const times = nextTimes(next, from, 30);
        expect(times.every((at, i) => at > (times[i - 1] ?? from))).toBe(true);
        // From just before each, and from anywhere between two.
        for (const [i, at] of times.entries()) {
          expect(next(at - 1)).toBe(at);
          const before = times[i - 1] ?? from;
          expect(next(before + Math.floor((at - before) / 2))).toBe(at);
        }
      }),
      { numRuns: 100 },
    );
  });
});

describe('jitter', () => {
  it('is the same for the same occurrence, within its window, and spread over it', () => {
    const drawn = Array.from({ length: 1_000 }, (_, n) => jitterOf('a', 'nightly', n * DAY_MS, 60));
    expect(drawn).toEqual(Array.from({ length: 1_000 }, (_, n) => jitterOf('a', 'nightly', n * DAY_MS, 60)));
    expect(Math.min(...drawn)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...drawn)).toBeLessThan(60_000);
    const mean = drawn.reduce((sum, ms) => sum + ms, 0) / drawn.length;
    expect(Math.abs(mean - 30_000)).toBeLessThan(3_000);
    expect(jitterOf('b', 'nightly', 0, 60)).not.toBe(drawn[0]);
    expect(jitterOf('a', 'nightly', 0, 0)).toBe(0);
  });
});
