import { SluiceError, type ScheduleRecord, type ScheduleSpec } from '@sluice/contracts';
import canonicalize from 'canonicalize';
import type { Telemetry } from '../ports/telemetry.ts';
import { ledgerOf } from './ledger.ts';
import { DECIDED, dueOf } from './plan.ts';
import { occurrencesOf, type NextAfter, type Timing } from './times.ts';

/** What every write of a schedule has of its own. */
export interface Stamp {
  readonly now: number;
  /** Of this write. */
  readonly nonce: string;
  /** ULID of the time. */
  readonly chain: string;
}

export function timingOf({ spec, anchor }: Pick<ScheduleRecord, 'spec' | 'anchor'>): Timing {
  const { cron, everySeconds, timezone, start, end } = spec;
  return { cron, everySeconds, timezone, start, end, anchor };
}

export function nextAfterOf(record: Pick<ScheduleRecord, 'spec' | 'anchor'>): NextAfter {
  return occurrencesOf(timingOf(record));
}

export interface Wanted {
  readonly tenant: string;
  readonly name: string;
  readonly spec: ScheduleSpec;
  /** As it is, where it is not said. */
  readonly paused: boolean | undefined;
}

/** A schedule as it is to be written, and what was left out by that. */
export interface Wished {
  readonly record: ScheduleRecord;
  /** Counts and logs it: once it has been written. */
  readonly tell: (telemetry: Telemetry) => void;
}

/**
 * The schedule as it is wanted, or `undefined` when it is so already. Occurrences whose time has come and that have not
 * been decided are still owed, {@link DECIDED} of them at most. What is beyond those, or fell into a pause and into times
 * that are others now, is told as missed.
 * @throws SluiceError `bad_request` when no occurrence is left
 */
export function wantedRecord(old: ScheduleRecord | undefined, wanted: Wanted, stamp: Stamp): Wished | undefined {
  const { tenant, name, spec } = wanted;
  const { now } = stamp;
  const paused = wanted.paused ?? old?.state === 'paused';
  if (old && same(old.spec, spec) && (wanted.paused === undefined || paused === (old.state === 'paused'))) return undefined;
  const anchor = anchorOf(old, spec, now);
  const coming = comingOf(old, { spec, anchor }, now);
  if (coming.next === undefined) throw never(spec);
  const ledger = old && ledgerOf(old, now);
  if (coming.missed) ledger?.note({ ...coming.missed, did: 'missed', reason: 'its times were changed' });
  const { recent = [], counts = NONE } = ledger?.written(stamp.nonce, coming.next) ?? {};
  const record: ScheduleRecord = {
    v: 1,
    tenant,
    name,
    seq: (old?.seq ?? 0) + 1,
    by: stamp.nonce,
    chain: stamp.chain,
    state: paused ? 'paused' : 'active',
    spec,
    anchor,
    createdAt: old?.createdAt ?? now,
    updatedAt: now,
    since: coming.since,
    next: coming.next,
    ...(coming.owed?.length && { owed: coming.owed }),
    ...(old?.waiting !== undefined && { waiting: old.waiting }),
    open: old?.open ?? [],
    recent,
    counts,
  };
  return { record, tell: (telemetry) => ledger?.tell(telemetry) };
}

const NONE = { submitted: 0, skipped: 0, missed: 0, failed: 0 };

interface Coming extends Pick<ScheduleRecord, 'since' | 'next' | 'owed'> {
  /** What will not run: how many, and the last of them. */
  readonly missed?: { readonly count: number; readonly at: number };
}

/** What comes after a change: what is owed, and the new times from now on. */
function comingOf(old: ScheduleRecord | undefined, timing: Pick<ScheduleRecord, 'spec' | 'anchor'>, now: number): Coming {
  const next = nextAfterOf(timing)(now);
  if (old?.next === undefined || old.next > now) return { since: now, next };
  const { since, owed } = old;
  if (same(timingOf(old), timingOf(timing))) return { since, next: old.next, owed };
  const due = dueOf({ next: old.next, since, owed, nextAfter: nextAfterOf(old), jitter: () => 0, now });
  const kept = old.state === 'active' ? due.at.slice(-DECIDED) : [];
  const [first = next, ...others] = kept;
  const count = due.count - kept.length;
  const at = due.at.at(-kept.length - 1) ?? old.next;
  return { since: now, next: first, owed: others, ...(count > 0 && { missed: { count, at } }) };
}

/** A period goes on from where it was, unless it is another. */
function anchorOf(old: ScheduleRecord | undefined, spec: ScheduleSpec, now: number): number {
  if (spec.start !== undefined) return spec.start;
  if (old && old.spec.start === undefined && old.spec.everySeconds === spec.everySeconds) return old.anchor;
  return Math.floor(now / 1000) * 1000;
}

function same(a: unknown, b: unknown): boolean {
  return canonicalize(a) === canonicalize(b);
}

function never({ cron, end }: ScheduleSpec): SluiceError {
  const what = cron === undefined ? 'this period' : `cron "${cron}"`;
  return new SluiceError(
    'bad_request',
    end === undefined
      ? `${what} never comes; give one that does`
      : `${what} does not come any more before its end at ${new Date(end).toISOString()}; move the end`,
  );
}

/** One that no longer fires until it is resumed. @throws SluiceError `state_conflict` for one that has ended */
export function pausedRecord(old: ScheduleRecord, { now, nonce }: Stamp): ScheduleRecord | undefined {
  if (old.state === 'paused') return undefined;
  if (old.state === 'ended') throw ended(old, 'paused');
  return { ...old, seq: old.seq + 1, by: nonce, state: 'paused', updatedAt: now };
}

/** What was missed meanwhile is for its misfire policy. @throws SluiceError `state_conflict` for one that has ended */
export function resumedRecord(old: ScheduleRecord, stamp: Stamp): ScheduleRecord | undefined {
  if (old.state === 'active') return undefined;
  if (old.state === 'ended') throw ended(old, 'resumed');
  return { ...rechained(old, stamp), state: 'active', updatedAt: stamp.now };
}

export function rechained(old: ScheduleRecord, { nonce, chain }: Stamp): ScheduleRecord {
  return { ...old, seq: old.seq + 1, by: nonce, chain };
}

function ended(old: ScheduleRecord, what: string): SluiceError {
  return new SluiceError('state_conflict', `schedule ${old.name} has ended and can't be ${what}; give it times to come, or delete it`, {
    details: { state: old.state },
  });
}
