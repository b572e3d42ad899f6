import { LIMITS, OUTCOME_CLASSES, type Outcome, type RetryPolicy, type TaskRow } from '@sluice/contracts';
import { describe, expect, it } from 'vitest';
import { blindSuccess, FAILED_RETENTION_SECONDS, settle, type SettleDecision } from '../../../core/settle/decide.ts';
import { OTHER_UID, outcomeSample, rowOf, runningRow, T0 } from '../../helpers/samples.ts';
import { createWorld, typeSpec } from '../../helpers/world.ts';

const NOW = T0 + 2_000;
const RETRY: RetryPolicy = { maxAttempts: 3, minDelaySeconds: 10, maxDelaySeconds: 100, factor: 2 };
const error = { name: 'Error', message: 'no' };

interface Given {
  readonly row?: TaskRow | undefined;
  readonly outcome?: Partial<Outcome>;
  readonly by?: 'record' | 'hint';
  readonly retry?: Partial<RetryPolicy>;
  readonly dedup?: number;
  readonly fraction?: number;
  readonly deployed?: boolean;
}

function decide(given: Given): SettleDecision {
  const spec = typeSpec('echo', { retry: { ...RETRY, ...given.retry }, ...(given.dedup && { dedupWindowSeconds: given.dedup }) });
  return settle({
    row: 'row' in given ? given.row : runningRow(),
    outcome: outcomeSample(given.outcome),
    by: given.by ?? 'record',
    spec: given.deployed === false ? undefined : spec,
    now: NOW,
    fraction: given.fraction ?? 0,
  });
}

describe.each(OUTCOME_CLASSES)('an outcome of class %s', (cls) => {
  const success = cls === 'succeeded';

  it.each([
    ['no row', undefined],
    ['a row of another generation', runningRow({ uid: OTHER_UID })],
    ['a row with a later fence', runningRow({ fence: 3, seq: 3 })],
    ['a row with an earlier fence', rowOf()],
    ['a terminal row of another generation', runningRow({ uid: OTHER_UID, state: 'failed', endedBy: 'record' })],
  ])('changes nothing where it meets %s', (_, row) => {
    expect(decide({ row, outcome: { class: cls } })).toEqual({ do: 'ignore', late: success });
  });

  it.each([
    ['failed', 'record', 'record', success ? { do: 'ignore', late: true } : { do: 'repeat-end' }],
    ['failed', 'hint', 'record', { do: 'ignore', late: success }],
    ['failed', 'record', 'hint', { do: 'ignore', late: success }],
    ['expired', 'hint', 'record', { do: 'ignore', late: success }],
    ['cancelled', 'hint', 'hint', success ? { do: 'ignore', late: true } : { do: 'repeat-end' }],
    ['succeeded', 'record', 'record', { do: 'repeat-end' }],
    ['succeeded', 'record', 'hint', { do: 'ignore', late: false }],
    ['succeeded', 'hint', 'record', { do: 'ignore', late: false }],
    ['succeeded', 'hint', 'hint', { do: 'repeat-end' }],
  ] as const)('after the end as %s by a %s, brought by a %s', (state, endedBy, by, expected) => {
    expect(decide({ row: runningRow({ state, seq: 2, endedBy }), outcome: { class: cls }, by })).toEqual(expected);
  });

  it('meets its task waiting for its retry: a success wins, anything else was settled before', () => {
    const decision = decide({ row: runningRow({ state: 'waiting', seq: 2, attempts: 1 }), outcome: { class: cls } });
    if (success) expect(decision).toMatchObject({ do: 'end', change: { set: { state: 'succeeded', attempts: 1 } } });
    else expect(decision).toEqual({ do: 'repeat-release' });
  });
});

describe('the outcome of a running attempt', () => {
  it('ends the task when it succeeded, counts it and clears the error of the attempt before', () => {
    const decision = decide({ row: runningRow({ attempts: 1, error }), outcome: { startedAt: T0 + 5 }, by: 'hint', dedup: 60 });
    const set = { state: 'succeeded', attempts: 2, endedAt: NOW, endedBy: 'hint', ttl: NOW / 1000 + 60, startedAt: T0 + 5 };
    expect(decision).toEqual({ do: 'end', change: { set, remove: ['error'] } });
  });

  it('ends the task when it is fatal, whatever the policy allows', () => {
    const decision = decide({ outcome: { class: 'fatal', error }, retry: { maxAttempts: 100 } });
    const ttl = NOW / 1000 + FAILED_RETENTION_SECONDS;
    expect(decision).toMatchObject({
      do: 'end',
      change: { set: { state: 'failed', reason: 'fatal', attempts: 1, endedAt: NOW, endedBy: 'record', ttl, error } },
    });
  });

  it.each([
    [0, { do: 'again', at: NOW + 10_000, change: { set: { state: 'waiting', attempts: 1 } } }],
    [1, { do: 'again', change: { set: { attempts: 2 } } }],
    [2, { do: 'end', change: { set: { state: 'failed', reason: 'attempts_exhausted', attempts: 3 } } }],
    [7, { do: 'end', change: { set: { reason: 'attempts_exhausted', attempts: 8 } } }],
  ])('is tried again after %i failures, or not', (attempts, expected) => {
    expect(decide({ row: runningRow({ attempts }), outcome: { class: 'retryable', error } })).toMatchObject(expected);
  });

  it('follows what its submission asked for before what its type says', () => {
    expect(decide({ row: runningRow({ retry: { maxAttempts: 1 } }), outcome: { class: 'retryable' } })).toMatchObject({ do: 'end' });
    expect(decide({ row: runningRow({ attempts: 50, retry: { maxAttempts: 100 } }), outcome: { class: 'retryable' } })).toMatchObject({
      do: 'again',
    });
  });

  it('has a policy even where its type is not deployed any more', () => {
    expect(decide({ deployed: false, row: runningRow({ attempts: 3 }), outcome: { class: 'retryable' } })).toMatchObject({ do: 'again' });
    expect(decide({ deployed: false, row: runningRow({ attempts: 4 }), outcome: { class: 'retryable' } })).toMatchObject({ do: 'end' });
    expect(decide({ deployed: false })).toMatchObject({ change: { set: { ttl: NOW / 1000 + FAILED_RETENTION_SECONDS } } });
  });

  it.each([
    [12, 'again'],
    [11, 'end'],
  ])('with a maximum age of %i s and a next try 12 s after the first start: %s', (maxAgeSeconds, expected) => {
    const decision = decide({ outcome: { class: 'retryable' }, retry: { maxAgeSeconds } });
    expect(decision.do).toBe(expected);
    if (decision.do === 'end') expect(decision.change.set).toMatchObject({ state: 'failed', reason: 'max_age', attempts: 1 });
  });

  it('exhausted and too old at once is exhausted', () => {
    const decision = decide({ row: runningRow({ attempts: 2 }), outcome: { class: 'retryable' }, retry: { maxAgeSeconds: 1 } });
    expect(decision).toMatchObject({ change: { set: { reason: 'attempts_exhausted' } } });
  });

  it.each([
    [0, 0, 1_000],
    [0, 0.5, 1_500],
    [3, 0.999, 15_985],
    [9, 0.999, 59_941],
    [5_000, 0.999, 59_941],
  ])('throttled %i times before waits free of charge, up to a minute', (throttled, fraction, delay) => {
    const decision = decide({ row: runningRow({ throttled, attempts: 2 }), outcome: { class: 'throttled' }, fraction });
    expect(decision).toEqual({
      do: 'again',
      at: NOW + delay,
      change: { set: { state: 'waiting', at: NOW + delay, again: 'free', throttled: throttled + 1 } },
    });
  });

  it.each([0, 1, 90_000])('throttled for %i ms waits as long as it was asked to', (retryAfterMs) => {
    expect(decide({ outcome: { class: 'throttled', retryAfterMs } })).toMatchObject({ do: 'again', at: NOW + retryAfterMs });
  });

  it('that never started changes no count', () => {
    const decision = decide({ row: runningRow({ attempts: 2, lost: 2, throttled: 2 }), outcome: { class: 'undone', error }, by: 'hint' });
    expect(decision).toEqual({
      do: 'again',
      at: NOW + 1_000,
      change: { set: { state: 'waiting', at: NOW + 1_000, again: 'free', error } },
    });
    expect(decide({ outcome: { class: 'undone', retryAfterMs: 60_000 } })).toMatchObject({ at: NOW + 60_000 });
  });

  it.each([
    [0, { do: 'again', change: { set: { state: 'waiting', lost: 1 } } }],
    [1, { do: 'again', change: { set: { lost: 2 } } }],
    [2, { do: 'end', change: { set: { state: 'failed', reason: 'outcome_unknown', lost: LIMITS.lostOutcomes, attempts: 4 } } }],
  ])('lost after %i losses is counted apart, three at most', (lost, expected) => {
    const decision = decide({ row: runningRow({ lost, attempts: 4 }), outcome: { class: 'lost' }, by: 'hint' });
    expect(decision).toMatchObject(expected);
    if (decision.do === 'again') expect(decision.change.set).not.toHaveProperty('attempts');
  });

  it('keeps failed tasks for as long as their ids, where that is longer', () => {
    const year = 365 * 86_400;
    expect(decide({ outcome: { class: 'fatal' }, dedup: year })).toMatchObject({ change: { set: { ttl: NOW / 1000 + year } } });
  });
});

describe('a success', () => {
  it('written blind is the same as one written after a look', () => {
    const looked = decide({ row: runningRow({ attempts: 2 }), outcome: { attempt: 3 } });
    const spec = typeSpec('echo', { retry: RETRY });
    expect(looked).toEqual({ do: 'end', change: blindSuccess(outcomeSample({ attempt: 3 }), 'record', spec, NOW) });
  });

  // Only a failure record of the same fence has counted its run; `lost` and `throttled` count apart.
  it.each(['lost', 'throttled'])('that comes after its attempt was settled as %s counts as an attempt', (count) => {
    const row = runningRow({ state: 'waiting', seq: 2, [count]: 1 });
    expect(decide({ row, outcome: { attempt: 1 } })).toMatchObject({ change: { set: { state: 'succeeded', attempts: 1 } } });
  });
});

// A handler's answer decides how long its own task waits; one typing error must not park it for centuries.
it('a throttled attempt is tried again within the longest time that it may ask for', () => {
  const decision = decide({ outcome: { class: 'throttled', retryAfterMs: Number.MAX_SAFE_INTEGER } });
  expect(decision.do === 'again' && decision.at).toBe(NOW + LIMITS.retryAfterSeconds * 1000);
});

// A 429 of Lambda and an event that was too old are `throttled`, but no handler ran. `isFresh` counts them as a start: such
// a task never expires any more, and its maximum age has begun. A throttle needs to say whether the handler ran.
it('an attempt that Lambda refused does not begin the maximum age either, nor end its right to expire', () => {
  const refused = { class: 'throttled', error: { name: 'TooManyRequestsException', message: '429' } } as const;
  const decision = decide({ outcome: refused, by: 'hint' });
  expect(decision.do === 'again' && decision.change.remove).toContain('firstClaimAt');
});

it('a task that Lambda has refused so far expires when its time is over', async () => {
  const world = createWorld({
    types: [typeSpec('echo', { start: 'wait' })],
    before: () => ({ kind: 'refused', why: 'throttled', message: '429' }),
  });
  await world.submit('a', { type: 'echo', id: 't1', expiresAt: new Date(T0 + 60_000).toISOString() });
  await world.run(600_000);
  expect(await world.row('a', 't1')).toMatchObject({ state: 'expired' });
});

// Time that a task waits for a handler that is missing is no age of its work.
it('an attempt that never started does not begin the maximum age', () => {
  const decision = decide({ outcome: { class: 'undone' }, by: 'hint' });
  expect(decision.do === 'again' && decision.change.remove).toContain('firstClaimAt');
});
