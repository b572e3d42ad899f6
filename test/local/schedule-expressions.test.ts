import { describe, expect, it } from 'vitest';
import { parseScheduleExpression } from '../../local/scheduler/expression.ts';
import { Scheduler } from '../../local/scheduler/scheduler.ts';
import { HostState } from '../../local/state.ts';
import { FakeClock, settled } from './support/fake-clock.ts';

const at = (text: string): number => Date.parse(text);
const next = (expression: string, after: string, timezone = 'UTC', anchor = 0): string | undefined => {
  const due = parseScheduleExpression(expression, timezone, anchor).next(at(after));
  return due === undefined ? undefined : new Date(due).toISOString();
};

describe('a schedule expression', () => {
  it.each([
    ['at(2025-03-01T10:00:00)', 'UTC', '2025-01-01T00:00:00Z', '2025-03-01T10:00:00.000Z'],
    ['at(2025-07-01T10:00:00)', 'Europe/Berlin', '2025-01-01T00:00:00Z', '2025-07-01T08:00:00.000Z'],
    ['at(2025-03-01T10:00:00)', 'UTC', '2025-03-01T10:00:00Z', undefined],
    ['rate(1 minute)', 'UTC', '2025-01-01T00:00:30Z', '2025-01-01T00:01:00.000Z'],
    ['rate(1 minute)', 'UTC', '2025-01-01T00:01:00Z', '2025-01-01T00:02:00.000Z'],
    ['rate(2 hours)', 'UTC', '2025-01-01T01:00:00Z', '2025-01-01T02:00:00.000Z'],
    ['cron(15 10 * * ? *)', 'UTC', '2025-01-01T10:15:00Z', '2025-01-02T10:15:00.000Z'],
    ['cron(0/15 8-9 ? * MON-FRI *)', 'UTC', '2025-01-03T09:45:00Z', '2025-01-06T08:00:00.000Z'],
    ['cron(0 9 ? * 2 *)', 'UTC', '2025-01-01T00:00:00Z', '2025-01-06T09:00:00.000Z'],
    ['cron(0 9 ? * 6L *)', 'UTC', '2025-01-01T00:00:00Z', '2025-01-31T09:00:00.000Z'],
    ['cron(0 9 ? * 2#2 *)', 'UTC', '2025-01-01T00:00:00Z', '2025-01-13T09:00:00.000Z'],
    ['cron(0 9 L * ? *)', 'UTC', '2025-02-01T00:00:00Z', '2025-02-28T09:00:00.000Z'],
    ['cron(0 9 15W * ? *)', 'UTC', '2025-06-01T00:00:00Z', '2025-06-16T09:00:00.000Z'],
    ['cron(0 9 LW * ? *)', 'UTC', '2025-05-01T00:00:00Z', '2025-05-30T09:00:00.000Z'],
    ['cron(0 0 1 1 ? 2030)', 'UTC', '2025-06-01T00:00:00Z', '2030-01-01T00:00:00.000Z'],
    ['cron(0 0 1 1 ? 2020)', 'UTC', '2025-06-01T00:00:00Z', undefined],
    ['cron(0 9 * * ? *)', 'America/New_York', '2025-03-08T15:00:00Z', '2025-03-09T13:00:00.000Z'],
    // The day of 23 hours has no 02:30: it fires when the gap ends. The day of 25 hours fires once.
    ['cron(30 2 * * ? *)', 'America/New_York', '2025-03-09T00:00:00Z', '2025-03-09T07:00:00.000Z'],
    ['cron(30 1 * * ? *)', 'America/New_York', '2025-11-02T05:30:00Z', '2025-11-03T06:30:00.000Z'],
  ])('%s in %s fires after %s at %s', (expression, timezone, after, expected) => {
    expect(next(expression, after, timezone)).toBe(expected);
  });

  it.each([
    'now',
    'at(2025-03-01)',
    'rate(0 minutes)',
    'rate(5 seconds)',
    'cron(0 9 * * *)',
    'cron(0 9 * * * *)',
    'cron(0 9 ? * ? *)',
    'cron(61 9 * * ? *)',
    'cron(0 9 15X * ? *)',
  ])('%s is refused by name', (expression) => {
    expect(() => parseScheduleExpression(expression, 'UTC', 0)).toThrow(
      expect.objectContaining({ code: 'INVALID_SCHEDULE', message: expect.stringContaining(expression) }),
    );
  });
});

describe('a scheduler', () => {
  const build = (state = new HostState(undefined), clock = new FakeClock(at('2025-01-01T00:00:30Z'))) => {
    const sent: string[] = [];
    let refusals = 0;
    const scheduler = new Scheduler({
      state,
      clock,
      log: () => undefined,
      send: async (arn, body) => {
        if (refusals > 0 && arn === 'target') {
          refusals -= 1;
          throw new Error('refused');
        }
        sent.push(`${arn} ${body}`);
      },
    });
    return { scheduler, clock, sent, state, refuse: (times: number) => (refusals = times) };
  };
  const definition = {
    Name: 'tick',
    GroupName: 'default',
    ScheduleExpression: 'rate(1 minute)',
    Target: { Arn: 'target', Input: '<aws.scheduler.scheduled-time>' },
  };

  it('fires a rate of a template on the full minute', async () => {
    const { scheduler, clock, sent } = build();
    scheduler.put(definition, true);
    scheduler.start();
    await clock.advance(150_000);
    expect(sent).toEqual(['target 2025-01-01T00:01:00Z', 'target 2025-01-01T00:02:00Z', 'target 2025-01-01T00:03:00Z']);
  });

  it('keeps between StartDate and EndDate and obeys State', async () => {
    const { scheduler, clock, sent } = build();
    scheduler.put({ ...definition, StartDate: '2025-01-01T00:02:00Z', EndDate: '2025-01-01T00:03:00Z' }, true);
    scheduler.put({ ...definition, Name: 'off', State: 'DISABLED' }, true);
    scheduler.start();
    await clock.advance(600_000);
    expect(sent).toEqual(['target 2025-01-01T00:02:00Z', 'target 2025-01-01T00:03:00Z']);
  });

  it('removes a finished schedule when told to, and keeps it otherwise', async () => {
    const { scheduler, clock } = build();
    const once = { ...definition, ScheduleExpression: 'at(2025-01-01T00:01:00)' };
    scheduler.put({ ...once, Name: 'gone', ActionAfterCompletion: 'DELETE' }, false);
    scheduler.put({ ...once, Name: 'kept' }, false);
    scheduler.start();
    await clock.advance(60_000);
    expect(scheduler.list().map((schedule) => schedule.definition.Name)).toEqual(['kept']);
  });

  it('tries a target that refuses again, then sends to the dead letters', async () => {
    const { scheduler, clock, sent, refuse } = build();
    scheduler.put({ ...definition, Target: { ...definition.Target, DeadLetterConfig: { Arn: 'dead' } } }, true);
    scheduler.start();
    refuse(2);
    await clock.advance(50_000);
    expect(sent).toEqual(['target 2025-01-01T00:01:00Z']);
    refuse(3);
    await clock.advance(60_000);
    expect(sent[1]).toBe('dead 2025-01-01T00:02:00Z');
  });

  it('fires a one-time schedule that was missed while no host ran, and never one time twice', async () => {
    const state = new HostState(undefined);
    const before = build(state);
    before.scheduler.put({ ...definition, ScheduleExpression: 'at(2025-01-01T00:01:00)' }, false);
    before.scheduler.close();
    const clock = new FakeClock(at('2025-01-01T05:00:00Z'));
    const after = build(state, clock);
    after.scheduler.start();
    await clock.advance(0);
    expect(after.sent).toEqual(['target 2025-01-01T00:01:00Z']);
    const last = build(state, clock);
    last.scheduler.start();
    await clock.advance(1000);
    await settled();
    expect(last.sent).toEqual([]);
  });
});
