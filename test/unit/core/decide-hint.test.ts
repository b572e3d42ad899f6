import type { HintedTask, TaskRow } from '@sluice/contracts';
import { describe, expect, it } from 'vitest';
import { decideBlind, decideHint, type HintDecision } from '../../../core/hints/decide.ts';
import { hintedTask, OTHER_UID, rowOf, runningRow, runOf, T0 } from '../../helpers/samples.ts';

interface Case {
  readonly title: string;
  readonly row: TaskRow | undefined;
  readonly hint?: Partial<HintedTask>;
  readonly now?: number;
  readonly expected: HintDecision;
}

const waitRow = runningRow({ run: runOf({ mode: 'wait', hint: 0 }) });
const LEASE_END = T0 + 150_000;

const cases: Case[] = [
  { title: 'no row yet: look again', row: undefined, expected: { do: 'look-again' } },
  { title: 'no row, exactly 60 s after the hint: look again', row: undefined, now: T0 + 60_000, expected: { do: 'look-again' } },
  { title: 'no row, later than 60 s after the hint: an orphan', row: undefined, now: T0 + 60_001, expected: { do: 'drop', why: 'orphan' } },
  { title: 'a hint from a clock ahead of ours: look again', row: undefined, hint: { made: T0 + 999_999 }, expected: { do: 'look-again' } },
  { title: 'a row of another generation is as good as none', row: rowOf({ uid: OTHER_UID }), expected: { do: 'look-again' } },
  {
    title: 'a row of another generation, after 60 s: an orphan',
    row: rowOf({ uid: OTHER_UID }),
    now: T0 + 60_001,
    expected: { do: 'drop', why: 'orphan' },
  },
  {
    title: 'a terminal row of another generation decides nothing',
    row: rowOf({ uid: OTHER_UID, state: 'failed', endedBy: 'hint' }),
    expected: { do: 'look-again' },
  },

  { title: 'due now, at the very instant: claim', row: rowOf(), expected: { do: 'claim' } },
  { title: 'a millisecond early: at its time', row: rowOf({ at: T0 + 1 }), expected: { do: 'hint-at', at: T0 + 1 } },
  {
    title: "the row's time counts, not the hint's",
    row: rowOf({ at: T0 + 5_000 }),
    hint: { at: T0 - 1 },
    expected: { do: 'hint-at', at: T0 + 5_000 },
  },
  { title: 'left behind by a later write', row: rowOf({ seq: 3 }), hint: { seq: 2 }, expected: { do: 'drop', why: 'left-behind' } },
  {
    title: 'left behind, though it is about to expire',
    row: rowOf({ seq: 3, expiresAt: T0 }),
    hint: { seq: 2 },
    expected: { do: 'drop', why: 'left-behind' },
  },
  { title: 'ahead of its row', row: rowOf({ seq: 2 }), hint: { seq: 3 }, expected: { do: 'give-back' } },
  { title: 'ahead of a row whose time is over', row: rowOf({ seq: 2, expiresAt: T0 }), hint: { seq: 3 }, expected: { do: 'give-back' } },

  { title: 'expired at the very instant', row: rowOf({ expiresAt: T0 }), expected: { do: 'expire' } },
  { title: 'a millisecond before it expires: claim', row: rowOf({ expiresAt: T0 + 1 }), expected: { do: 'claim' } },
  { title: 'expired before its time came', row: rowOf({ at: T0 + 10, expiresAt: T0 }), expected: { do: 'expire' } },
  {
    title: 'a running row does not expire',
    row: runningRow({ expiresAt: T0 }),
    hint: { seq: 1 },
    expected: { do: 'hint-at', at: LEASE_END },
  },

  {
    title: 'event: the message of the claim is left behind',
    row: runningRow(),
    hint: { seq: 0 },
    expected: { do: 'drop', why: 'left-behind' },
  },
  {
    title: 'event: the lease-end hint, early',
    row: runningRow(),
    hint: { seq: 1, look: true },
    now: LEASE_END - 1,
    expected: { do: 'hint-at', at: LEASE_END },
  },
  {
    title: 'event: the lease-end hint, at the very instant',
    row: runningRow(),
    hint: { seq: 1, look: true },
    now: LEASE_END,
    expected: { do: 'lost' },
  },
  { title: 'event: a hint ahead of a running row', row: runningRow(), hint: { seq: 2 }, now: LEASE_END, expected: { do: 'give-back' } },
  { title: 'wait: its own message while it runs', row: waitRow, hint: { seq: 0 }, expected: { do: 'hint-at', at: LEASE_END } },
  { title: 'wait: its own message, lease over', row: waitRow, hint: { seq: 0 }, now: LEASE_END, expected: { do: 'lost' } },
  {
    title: 'wait: every seq up to the row is its own',
    row: { ...waitRow, seq: 4 },
    hint: { seq: 2 },
    now: LEASE_END,
    expected: { do: 'lost' },
  },
  {
    title: 'wait: below its own',
    row: { ...waitRow, run: runOf({ hint: 2 }), seq: 3 },
    hint: { seq: 1 },
    now: LEASE_END,
    expected: { do: 'drop', why: 'left-behind' },
  },
  {
    title: 'a waiting row does not keep the hints of its former run',
    row: { ...waitRow, state: 'waiting', seq: 2 },
    hint: { seq: 1 },
    expected: { do: 'drop', why: 'left-behind' },
  },

  ...(['succeeded', 'failed', 'expired', 'cancelled'] as const).flatMap((state): Case[] => [
    {
      title: `${state} by a record: the hint says nothing`,
      row: runningRow({ state, seq: 2, endedBy: 'record' }),
      hint: { seq: 1 },
      expected: { do: 'drop', why: 'ended' },
    },
    {
      title: `${state} by its predecessor hint`,
      row: runningRow({ state, seq: 2, endedBy: 'hint' }),
      hint: { seq: 1 },
      expected: { do: 'repeat-end' },
    },
    {
      title: `${state} by a hint before the predecessor`,
      row: runningRow({ state, seq: 3, endedBy: 'hint', run: runOf({ hint: 2 }) }),
      hint: { seq: 1 },
      expected: { do: 'drop', why: 'ended' },
    },
    {
      title: `${state} by a copy of the hint of its attempt`,
      row: { ...waitRow, state, seq: 2, endedBy: 'hint' },
      hint: { seq: 0 },
      expected: { do: 'repeat-end' },
    },
    {
      title: `${state} by a hint, and a hint that was made ahead of it`,
      row: rowOf({ state, seq: 1, endedBy: 'hint' }),
      hint: { seq: 1 },
      expected: { do: 'repeat-end' },
    },
    { title: `${state} by nobody known`, row: rowOf({ state, seq: 1 }), hint: { seq: 0 }, expected: { do: 'drop', why: 'ended' } },
  ]),
];

describe('the decision on a hint and its row', () => {
  it.each(cases)('$title', ({ row, hint, now, expected }) => {
    expect(decideHint(row, hintedTask(hint), now ?? T0)).toEqual(expected);
  });

  // `expired` is the end of what has not started by then.
  it('does not expire a task that has started and waits for its retry', () => {
    const row = runningRow({ state: 'waiting', seq: 2, attempts: 1, expiresAt: T0 - 1 });
    expect(decideHint(row, hintedTask({ seq: 2 }), T0)).toEqual({ do: 'claim' });
  });
});

describe('the decision on a hint alone', () => {
  it.each([
    ['due at the very instant', {}, { do: 'claim' }],
    ['long due', { at: T0 - 86_400_000 }, { do: 'claim' }],
    ['a millisecond early', { at: T0 + 1 }, { do: 'hint-at', at: T0 + 1 }],
    ['for the end of a lease', { look: true }, undefined],
    ['for the end of a lease, early', { look: true, at: T0 + 1 }, undefined],
    ['expired at the very instant', { expiresAt: T0 }, { do: 'expire' }],
    ['expired, but written since it was accepted', { seq: 1, expiresAt: T0 }, undefined],
    ['expired, to be looked at', { look: true, expiresAt: T0 }, undefined],
    ['a millisecond before it expires', { expiresAt: T0 + 1 }, { do: 'claim' }],
    ['early, and expiring later', { at: T0 + 1, expiresAt: T0 + 2 }, { do: 'hint-at', at: T0 + 1 }],
  ])('%s', (_, hint, expected) => {
    expect(decideBlind(hintedTask(hint), T0)).toEqual(expected);
  });
});
