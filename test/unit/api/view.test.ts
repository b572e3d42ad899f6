import { taskViewSchema, type Attempt, type TaskRow } from '@sluice/contracts';
import { describe, expect, it } from 'vitest';
import { isGone, toTaskView } from '../../../core/api/view.ts';

const UID = '01K00000000000000000000000';
const T0 = Date.UTC(2026, 0, 1);
const at = (seconds: number) => T0 + seconds * 1_000;
const iso = (seconds: number) => new Date(at(seconds)).toISOString();

function row(over: Partial<TaskRow> = {}): TaskRow {
  return {
    v: 1,
    tenant: 'acme',
    id: 'a',
    uid: UID,
    seq: 0,
    fence: 0,
    type: 'echo',
    priority: 'normal',
    state: 'waiting',
    at: at(60),
    acceptedAt: at(0),
    hintedAt: at(0),
    hash: 'h',
    payload: { in: 'row', json: '1' },
    attempts: 0,
    lost: 0,
    throttled: 0,
    ...over,
  };
}

const run = (claimed: number) => ({
  hint: 0,
  mode: 'event' as const,
  claimedAt: at(claimed),
  leaseEnd: at(claimed + 90),
  cell: 0,
  nonce: 'n',
});
const failure = (fence: number, over: Partial<Attempt> = {}): Attempt => ({
  v: 1,
  uid: UID,
  fence,
  class: 'retryable',
  claimedAt: at(fence),
  endedAt: at(fence + 0.5),
  error: { name: 'Error', message: `no ${fence}` },
  ...over,
});
const timeline = (r: TaskRow, kept: readonly Attempt[] = []) => toTaskView(r, kept).timeline.attempts;

describe('toTaskView', () => {
  it('shows where the log lines of an attempt are', () => {
    const log = { group: '/aws/lambda/echo', requestId: 'r1' };
    expect(timeline(row({ fence: 3, seq: 3, run: run(3), state: 'running' }), [failure(1, { log }), failure(2)])).toMatchObject([
      { fence: 1, log },
      { fence: 2 },
      { fence: 3 },
    ]);
  });

  it('shows a task that has not started', () => {
    const view = toTaskView(row({ expiresAt: at(90), labels: { team: 'x' } }), []);
    expect(view).toEqual({
      id: 'a',
      uid: UID,
      tenant: 'acme',
      type: 'echo',
      state: 'waiting',
      priority: 'normal',
      labels: { team: 'x' },
      attempts: 0,
      lost: 0,
      throttled: 0,
      runAt: iso(60),
      expiresAt: iso(90),
      timeline: { acceptedAt: iso(0), hintedAt: iso(0), attempts: [] },
    });
    expect(taskViewSchema.parse(view)).toEqual(view);
  });

  it('never shows what is inside: hashes, nonces, leases, where values are', () => {
    const text = JSON.stringify(toTaskView(row({ state: 'running', fence: 1, run: run(1) }), []));
    for (const name of ['hash', 'nonce', 'lease', 'cell', 'seq', 'payload']) expect(text).not.toContain(name);
  });

  it('shows the running attempt after the failed ones', () => {
    const r = row({ state: 'running', fence: 5, seq: 5, run: run(5), startedAt: at(5.2), attempts: 2 });
    expect(timeline(r, [failure(3), failure(1)])).toEqual([
      { fence: 1, outcome: 'retryable', claimedAt: iso(1), settledAt: iso(1.5), error: { name: 'Error', message: 'no 1' } },
      { fence: 3, outcome: 'retryable', claimedAt: iso(3), settledAt: iso(3.5), error: { name: 'Error', message: 'no 3' } },
      { fence: 5, outcome: 'running', claimedAt: iso(5), startedAt: iso(5.2) },
    ]);
  });

  it('believes the row where a failure is recorded but not settled yet', () => {
    expect(timeline(row({ state: 'running', fence: 1, run: run(1) }), [failure(1)])).toEqual([
      { fence: 1, outcome: 'running', claimedAt: iso(1) },
    ]);
  });

  it('leaves out other generations and attempts newer than the row', () => {
    const other = failure(1, { uid: '01K00000000000000000000001' });
    expect(timeline(row({ state: 'running', fence: 2, run: run(2) }), [other, failure(4)])).toHaveLength(1);
  });

  it("takes no start from an earlier attempt's", () => {
    const r = row({ state: 'running', fence: 3, run: run(3), startedAt: at(1.2) });
    expect(timeline(r)).toEqual([{ fence: 3, outcome: 'running', claimedAt: iso(3) }]);
  });

  it('makes do with a row that does not tell its claim', () => {
    const r = row({ state: 'running', fence: 3, startedAt: at(1.2) });
    expect(timeline(r)).toEqual([{ fence: 3, outcome: 'running', startedAt: iso(1.2) }]);
  });

  it('shows a success, also where the same attempt was first recorded as failed', () => {
    const r = row({ state: 'succeeded', fence: 1, run: run(1), startedAt: at(1.2), endedAt: at(2), attempts: 1 });
    const success = { fence: 1, outcome: 'succeeded', claimedAt: iso(1), startedAt: iso(1.2), settledAt: iso(2) };
    expect(timeline(r)).toEqual([success]);
    expect(timeline(r, [failure(1)])).toEqual([success]);
    expect(toTaskView(r, []).timeline.endedAt).toBe(iso(2));
  });

  it('shows a failure with its error, and a success that came too late', () => {
    const r = row({ state: 'failed', reason: 'outcome_unknown', fence: 3, run: run(3), endedAt: at(9), lost: 3 });
    const late: Attempt = { v: 1, uid: UID, fence: 3, class: 'succeeded', endedAt: at(12), late: true };
    expect(timeline(r, [failure(1), late])).toMatchObject([
      { fence: 1, error: { message: 'no 1' } },
      { fence: 3, outcome: 'succeeded', late: true, claimedAt: iso(3), settledAt: iso(12) },
    ]);
  });

  it('shows a claim that was given up before its handler ran', () => {
    expect(timeline(row({ fence: 1, run: run(1) }))).toEqual([{ fence: 1, outcome: 'undone', claimedAt: iso(1) }]);
    expect(timeline(row({ fence: 1, run: run(1) }), [failure(1, { class: 'throttled' })])).toMatchObject([{ outcome: 'throttled' }]);
  });

  it.each([
    ['fatal', 'fatal'],
    ['attempts_exhausted', 'retryable'],
    ['max_age', 'retryable'],
    ['outcome_unknown', 'lost'],
  ] as const)('tells from the reason %s how the last attempt ended when its record is gone', (reason, outcome) => {
    const error = { name: 'E', message: 'm' };
    const r = row({ state: 'failed', reason, fence: 1, run: run(1), endedAt: at(3), error });
    expect(timeline(r)).toEqual([{ fence: 1, outcome, claimedAt: iso(1), settledAt: iso(3), error }]);
  });

  it('brings the values that were read', () => {
    expect(toTaskView(row(), [], { payload: '{"n":1}', result: 'null' })).toMatchObject({ payload: { n: 1 }, result: null });
  });
});

it('takes a row for deleted from its time to live on', () => {
  expect(isGone(row(), T0)).toBe(false);
  expect(isGone(row({ ttl: T0 / 1_000 }), T0 - 1)).toBe(false);
  expect(isGone(row({ ttl: T0 / 1_000 }), T0)).toBe(true);
});
