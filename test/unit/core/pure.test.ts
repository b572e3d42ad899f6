import { LIMITS, TASK_STATES, type TaskRow } from '@sluice/contracts';
import { describe, expect, it } from 'vitest';
import { parseHint } from '../../../core/hints/parse.ts';
import { armedInTime, HINT_TIMES, homeFor, minuteOf } from '../../../core/hints/timing.ts';
import { cellLimits, expiredPermits, hasBacklog, livePermits, PERMITS_PER_CELL } from '../../../core/permits/cells.ts';
import { backoffMs, effectivePolicy } from '../../../core/retry/backoff.ts';
import { shuffleShard } from '../../../core/routing/shuffle-shard.ts';
import { toldOf } from '../../../core/notify/told.ts';
import { endEvent, lateSuccessEvent } from '../../../core/tasks/event.ts';
import { hintOf, isFree, isTerminal } from '../../../core/tasks/state.ts';
import { homeOfValue } from '../../../core/tasks/values.ts';
import { hintedTask, OTHER_UID, outcomeSample, rowOf, runningRow, T0, UID } from '../../helpers/samples.ts';

describe('the home of a hint', () => {
  it.each([
    [-86_400_000, { in: 'queue', delaySeconds: 0 }],
    [0, { in: 'queue', delaySeconds: 0 }],
    [1, { in: 'queue', delaySeconds: 1 }],
    [1_000, { in: 'queue', delaySeconds: 1 }],
    [1_001, { in: 'queue', delaySeconds: 2 }],
    [899_001, { in: 'queue', delaySeconds: 900 }],
    [900_000, { in: 'queue', delaySeconds: 900 }],
    [900_001, { in: 'bucket', minute: minuteOf(T0) + 15 }],
    [959_999, { in: 'bucket', minute: minuteOf(T0) + 15 }],
    [960_000, { in: 'bucket', minute: minuteOf(T0) + 16 }],
  ])('%i ms from now', (ms, expected) => {
    expect(homeFor(T0 + ms, T0)).toEqual(expected);
  });

  it('is the bucket only where its put is confirmed before the margin', () => {
    const minute = minuteOf(T0);
    const last = T0 - HINT_TIMES.bucketMarginMs;
    expect(armedInTime(minute, last - 1)).toBe(true);
    expect(armedInTime(minute, last)).toBe(false);
    expect(armedInTime(minute, last + 1)).toBe(false);
  });

  it('leaves every hint that goes to a bucket twelve minutes to be confirmed', () => {
    for (let ms = 900_001; ms < 1_100_000; ms += 997) {
      const home = homeFor(T0 + ms, T0);
      expect(home.in === 'bucket' && armedInTime(home.minute, T0 + 11 * 60_000)).toBe(true);
    }
  });
});

describe('the times of the protocol', () => {
  it('keep a hint without a row for longer than its submission may take', () => {
    expect(HINT_TIMES.orphanMs).toBeGreaterThanOrEqual(2 * HINT_TIMES.confirmMs);
    expect(HINT_TIMES.lookAgainMs.reduce((sum, ms) => sum + ms, 0)).toBe(200);
    expect(HINT_TIMES.giveBackSeconds).toBe(2);
  });
});

describe('the cells of a lane', () => {
  it.each([
    [0, [0]],
    [1, [1]],
    [PERMITS_PER_CELL, [40]],
    [PERMITS_PER_CELL + 1, [21, 20]],
    [80, [40, 40]],
    [110, [37, 37, 36]],
  ])('with a limit of %i', (limit, expected) => {
    expect(cellLimits(limit)).toEqual(expected);
  });

  it('count a permit until the very instant of its expiry', () => {
    const permit = { expiry: T0, nonce: 'n' };
    const cell = { permits: [permit], raised: 0, cleared: 0 };
    expect([livePermits(cell, T0 - 1), expiredPermits(cell, T0 - 1)]).toEqual([[permit], []]);
    expect([livePermits(cell, T0), expiredPermits(cell, T0)]).toEqual([[], [permit]]);
  });

  it.each([
    [0, 0, false],
    [1, 0, true],
    [5, 5, false],
    [5, 6, false],
    [7, 5, true],
  ])('raised %i times and cleared up to %i', (raised, cleared, expected) => {
    expect(hasBacklog({ permits: [], raised, cleared })).toBe(expected);
  });
});

describe('backoff', () => {
  const policy = { minDelaySeconds: 2, maxDelaySeconds: 60, factor: 3 };

  it.each([
    [0, 0, 2_000],
    [0, 0.999, 2_000],
    [1, 0, 2_000],
    [1, 0.5, 4_000],
    [2, 1, 18_000],
    [4, 1, 60_000],
    [100, 1, 60_000],
  ])('after %i failures with chance %f', (failures, fraction, expected) => {
    expect(backoffMs(policy, failures, fraction)).toBe(expected);
  });

  it('is none where the floor is none', () => {
    expect(backoffMs({ minDelaySeconds: 0, maxDelaySeconds: 60, factor: 2 }, LIMITS.attempts, 0.9)).toBe(0);
  });

  it('takes from a submission what it gives, and the rest from the type', () => {
    const type = { maxAttempts: 5, minDelaySeconds: 1, maxDelaySeconds: 900, factor: 2 };
    expect(effectivePolicy(type, undefined)).toEqual(type);
    expect(effectivePolicy(type, { maxAttempts: 2, factor: undefined })).toEqual({ ...type, maxAttempts: 2 });
  });

  it('never passes the cap, not with a floor that a submission has raised above it', () => {
    const merged = effectivePolicy({ maxAttempts: 5, minDelaySeconds: 1, maxDelaySeconds: 60, factor: 2 }, { minDelaySeconds: 3_600 });
    expect(backoffMs(merged, 1, 0.5)).toBeLessThanOrEqual(60_000);
  });
});

describe('a shuffle shard', () => {
  it('is k distinct queues, all of them where there are no more', () => {
    expect(new Set(shuffleShard('acme', 8, 3)).size).toBe(3);
    expect([...shuffleShard('acme', 2, 3)].sort()).toEqual([0, 1]);
    expect(shuffleShard('acme', 8, 3)).toEqual(shuffleShard('acme', 8, 3));
  });

  it('stays what it is: a change would strand nothing, but moves every tenant', () => {
    expect(['acme', 'b', 'tenant-1', 'tenant-2'].map((tenant) => shuffleShard(tenant, 8, 2))).toEqual([
      [6, 0],
      [4, 0],
      [4, 7],
      [3, 5],
    ]);
  });
});

describe('a row', () => {
  const free: [Partial<TaskRow>, boolean][] = [
    [{ state: 'waiting' }, false],
    [{ state: 'running' }, false],
    [{ state: 'waiting', ttl: T0 / 1000 - 1 }, false],
    [{ state: 'failed', reason: 'fatal' }, true],
    [{ state: 'failed', reason: 'attempts_exhausted' }, true],
    [{ state: 'failed', reason: 'max_age' }, true],
    [{ state: 'failed', reason: 'outcome_unknown' }, false],
    [{ state: 'failed', reason: 'outcome_unknown', ttl: T0 / 1000 }, true],
    [{ state: 'expired', reason: 'expired' }, true],
    [{ state: 'cancelled', reason: 'cancelled' }, true],
    [{ state: 'succeeded' }, false],
    [{ state: 'succeeded', ttl: T0 / 1000 + 1 }, false],
    [{ state: 'succeeded', ttl: T0 / 1000 }, true],
  ];
  it.each(free)('%o has a free id: %s', (over, expected) => {
    expect(isFree(rowOf(over), T0)).toBe(expected);
  });

  it('is terminal in four of its states', () => {
    expect(TASK_STATES.filter(isTerminal)).toEqual(['succeeded', 'failed', 'expired', 'cancelled']);
  });

  it('is hinted for its time while it waits, for its lease end while it runs', () => {
    expect(hintOf(rowOf({ seq: 4, at: T0 + 9, expiresAt: T0 + 99 }), T0 + 1)).toEqual(
      hintedTask({ seq: 4, at: T0 + 9, made: T0 + 1, expiresAt: T0 + 99 }),
    );
    expect(hintOf(runningRow(), T0 + 1)).toEqual(hintedTask({ seq: 1, at: T0 + 150_000, made: T0 + 1, look: true }));
    // The run of the attempt before is still named while the task waits.
    expect(hintOf(runningRow({ state: 'waiting', seq: 2 }), T0)).toEqual(hintedTask({ seq: 2 }));
  });

  it('tells of its end the same each time, and only where the end is worth it', () => {
    const failed = runningRow({ state: 'failed', reason: 'fatal', endedAt: T0, labels: { k: 'v' } });
    expect(endEvent(failed)).toEqual(endEvent(failed));
    expect(endEvent(failed)).toMatchObject({
      eventId: `${UID}:failed`,
      state: 'failed',
      reason: 'fatal',
      at: '2026-01-01T00:00:00.000Z',
      labels: { k: 'v' },
    });
    expect(TASK_STATES.filter((state) => toldOf({ ...failed, state }, undefined).event)).toEqual(['failed', 'expired', 'cancelled']);
    expect(lateSuccessEvent(failed, outcomeSample({ uid: OTHER_UID, fence: 7 }))).toMatchObject({
      eventId: `${OTHER_UID}:late:7`,
      uid: OTHER_UID,
      state: 'late_success',
    });
  });
});

describe('a value', () => {
  it.each([
    [LIMITS.inlineBytes, 'row'],
    [LIMITS.inlineBytes + 1, 'item'],
    [LIMITS.itemBytes, 'item'],
    [LIMITS.itemBytes + 1, 's3'],
  ])('of %i bytes is kept in: %s', (bytes, home) => {
    expect(homeOfValue(bytes)).toBe(home);
  });
});

describe('a hint message', () => {
  const task = hintedTask();
  it.each([
    ['tasks', { v: 1, kind: 'tasks', tenant: 'a', tasks: [task] }, true],
    ['a lane', { v: 1, kind: 'lane', tenant: 'a', type: 'echo', made: T0 }, true],
    ['no tasks', { v: 1, kind: 'tasks', tenant: 'a', tasks: [] }, false],
    ['too many tasks', { v: 1, kind: 'tasks', tenant: 'a', tasks: Array.from({ length: 501 }, () => task) }, false],
    ['a version to come', { v: 2, kind: 'lane', tenant: 'a', type: 'echo', made: T0 }, false],
    ['another kind', { v: 1, kind: 'other' }, false],
    ['null', null, false],
  ])('of %s', (_, message, readable) => {
    expect(parseHint(JSON.stringify(message))).toEqual(readable ? message : undefined);
  });

  it('that is no JSON is none', () => {
    expect(parseHint('{')).toBeUndefined();
    expect(parseHint('')).toBeUndefined();
  });
});
