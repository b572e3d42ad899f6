import type { TaskRow } from '@sluice/contracts';
import { expect, it } from 'vitest';
import { createLateRows, INDEX_LATE_MS } from '../../sim/late-rows.ts';
import { rowOf } from '../helpers/samples.ts';

/** An index in which the writes with these numbers are late. */
function lateIndex(...late: readonly number[]) {
  let now = 0;
  const asked: number[] = [];
  const index = createLateRows(
    () => now,
    ({ seq }) => {
      asked.push(seq);
      return late.includes(seq) ? INDEX_LATE_MS : 0;
    },
  );
  const write = (over: Partial<TaskRow>) => index.written({ applied: true, row: rowOf(over) });
  return { index, write, asked, at: (ms: number) => void (now = ms), seqs: () => index.rows().map(({ seq }) => seq) };
}

it('shows a write once it is no longer late, and until then what was there before', () => {
  const { write, at, seqs, asked } = lateIndex(1);
  write({ seq: 0 });
  at(1_000);
  write({ seq: 1 });
  expect(seqs()).toEqual([0]);
  at(1_000 + INDEX_LATE_MS - 1);
  expect(seqs()).toEqual([0]);
  at(1_000 + INDEX_LATE_MS);
  expect(seqs()).toEqual([1]);
  expect(asked.filter((seq) => seq === 1)).toHaveLength(1);
});

it('shows the writes of a row in their order: one in time waits for the one before it', () => {
  const { write, at, seqs } = lateIndex(0);
  write({ seq: 0 });
  at(1_000);
  write({ seq: 1 });
  expect(seqs()).toEqual([]);
  at(INDEX_LATE_MS);
  expect(seqs()).toEqual([1]);
});

it('keeps what a late write follows, however many came before', () => {
  const { write, at, seqs } = lateIndex(3);
  for (const seq of [0, 1, 2]) write({ seq });
  at(60_000);
  write({ seq: 3 });
  expect(seqs()).toEqual([2]);
});

it('leaves out what was not applied', () => {
  const { index } = lateIndex();
  index.written({ applied: false, row: rowOf({}) });
  expect(index.rows()).toEqual([]);
});
