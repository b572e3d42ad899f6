import type { HintedTask, TaskRow } from '@sluice/contracts';
import { isFresh, isTerminal } from '../tasks/state.ts';
import { HINT_TIMES } from './timing.ts';

/** What a hint asks for, given the row that it names. */
export type HintDecision =
  /** It says nothing (any more). */
  | { readonly do: 'drop'; readonly why: 'orphan' | 'left-behind' | 'ended' }
  /** There is no such row yet: its submission may be on its way. */
  | { readonly do: 'look-again' }
  /** The hint is ahead of its row: whoever made it is about to write. */
  | { readonly do: 'give-back' }
  /** This hint ended the task: its effects are repeated, in case whoever wrote the end did not get to them. */
  | { readonly do: 'repeat-end' }
  /** Nothing to do before that time. */
  | { readonly do: 'hint-at'; readonly at: number }
  | { readonly do: 'expire' }
  /** The lease is over and no outcome came. */
  | { readonly do: 'lost' }
  | { readonly do: 'claim' };

/**
 * Decides one hinted task. `now` must have been taken before the row was read: a row that appears between the reading
 * and a later `now` would otherwise be taken for one that never came.
 */
export function decideHint(row: TaskRow | undefined, hint: HintedTask, now: number): HintDecision {
  if (row === undefined || row.uid !== hint.uid) {
    return now - hint.made > HINT_TIMES.orphanMs ? { do: 'drop', why: 'orphan' } : { do: 'look-again' };
  }
  if (isTerminal(row.state)) {
    return row.endedBy === 'hint' && endedByThis(row, hint) ? { do: 'repeat-end' } : { do: 'drop', why: 'ended' };
  }
  if (row.state === 'running' && row.run !== undefined && hint.seq >= row.run.hint && hint.seq <= row.seq) {
    return row.run.leaseEnd <= now ? { do: 'lost' } : { do: 'hint-at', at: row.run.leaseEnd };
  }
  if (hint.seq < row.seq) return { do: 'drop', why: 'left-behind' };
  if (hint.seq > row.seq) return { do: 'give-back' };
  if (row.expiresAt !== undefined && row.expiresAt <= now && isFresh(row)) return { do: 'expire' };
  return row.at > now ? { do: 'hint-at', at: row.at } : { do: 'claim' };
}

/** The predecessor of the final write, or a copy of the hint of the attempt that it ended. */
function endedByThis(row: TaskRow, hint: HintedTask): boolean {
  return hint.seq + 1 >= row.seq || (row.run !== undefined && hint.seq >= row.run.hint);
}

/**
 * What can be said from the hint alone; `undefined` when the row must be read first. To expire is safe on condition that the
 * row is the one of the first hint: no attempt of it has begun.
 */
export function decideBlind(hint: HintedTask, now: number): { do: 'hint-at'; at: number } | { do: 'claim' } | { do: 'expire' } | undefined {
  if (hint.look === true) return undefined;
  if (isPast(hint, now)) return hint.seq === 0 ? { do: 'expire' } : undefined;
  return hint.at > now ? { do: 'hint-at', at: hint.at } : { do: 'claim' };
}

/** Whether the task may not start any more, if it never did. */
export function isPast({ expiresAt }: HintedTask, now: number): boolean {
  return expiresAt !== undefined && expiresAt <= now;
}
