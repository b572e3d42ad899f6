import type { CountName, Occurrence, OccurrenceEnd, ScheduleCounts, ScheduleRecord } from '@sluice/contracts';
import type { Telemetry } from '../ports/telemetry.ts';

/** Occurrences that a schedule keeps. */
export const RECENT = 10;
/** Tasks of a schedule that are watched for their end at most: one, and those that somebody asked for. */
const OPEN = 8;

const COUNTS: Partial<Record<OccurrenceEnd, keyof ScheduleCounts>> = {
  submitted: 'submitted',
  skipped: 'skipped',
  missed: 'missed',
  failed: 'failed',
};

/** What one look at a schedule has decided, and the schedule as it is to be written. */
export interface Ledger {
  open: readonly string[];
  waiting: number | undefined;
  readonly note: (occurrence: Omit<Occurrence, 'decidedAt'>) => void;
  readonly written: (nonce: string, next: number | undefined) => ScheduleRecord;
  /** Counts and logs it: once it has been written. */
  readonly tell: (telemetry: Telemetry) => void;
}

export function ledgerOf(record: ScheduleRecord, now: number): Ledger {
  const noted: Occurrence[] = [];
  const isWatched = record.spec.overlap !== 'allow';
  const ledger: Ledger = {
    open: record.open,
    waiting: record.waiting,
    note: (occurrence) => {
      noted.unshift({ ...occurrence, decidedAt: now });
      if (isWatched && occurrence.task !== undefined) ledger.open = [...ledger.open, occurrence.task].slice(-OPEN);
    },
    written: (nonce, next) => {
      const { next: _, waiting: __, owed: ___, ...rest } = record;
      const owed = next === undefined ? [] : (record.owed ?? []).filter((at) => at > next);
      return {
        ...rest,
        seq: record.seq + 1,
        by: nonce,
        state: next === undefined ? 'ended' : record.state,
        ...(next !== undefined && { next }),
        ...(owed.length > 0 && { owed }),
        ...(ledger.waiting !== undefined && { waiting: ledger.waiting }),
        open: [...ledger.open],
        recent: [...noted, ...record.recent].slice(0, RECENT),
        counts: countedWith(record.counts, noted),
      };
    },
    tell: (telemetry) => {
      const { tenant, name } = record;
      for (const one of noted) {
        const counted = COUNTS[one.did];
        if (counted) telemetry.count(`schedule.${counted}` satisfies CountName, undefined, one.count ?? 1);
        const isOdd = one.did === 'missed' || one.did === 'failed';
        telemetry.log(isOdd ? 'warn' : 'debug', 'occurrence', { tenant, schedule: name, ...one });
      }
    },
  };
  return ledger;
}

function countedWith(before: ScheduleCounts, noted: readonly Occurrence[]): ScheduleCounts {
  const counts = { ...before };
  for (const { did, count } of noted) {
    const name = COUNTS[did];
    if (name) counts[name] += count ?? 1;
  }
  return counts;
}
