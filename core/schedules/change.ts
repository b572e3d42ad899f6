import { SluiceError, type ScheduleRecord, type ScheduleSpec } from '@sluice/contracts';
import canonicalize from 'canonicalize';
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

/**
 * The schedule as it is wanted, or `undefined` when it is so already. An occurrence whose time has come and that has not
 * been decided is still owed, unless it fell into a pause and the times are others now.
 * @throws SluiceError `bad_request` when no occurrence is left
 */
export function wantedRecord(old: ScheduleRecord | undefined, wanted: Wanted, stamp: Stamp): ScheduleRecord | undefined {
  const { tenant, name, spec } = wanted;
  const { now } = stamp;
  const paused = wanted.paused ?? old?.state === 'paused';
  if (old && same(old.spec, spec) && (wanted.paused === undefined || paused === (old.state === 'paused'))) return undefined;
  const anchor = anchorOf(old, spec, now);
  const timing = { spec, anchor };
  const isSameTiming = old !== undefined && same(timingOf(old), timingOf(timing));
  const isOwed = old?.next !== undefined && old.next <= now && (old.state === 'active' || isSameTiming);
  const next = isOwed ? old.next : nextAfterOf(timing)(now);
  if (next === undefined) throw never(spec);
  return {
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
    // Where the times stay as they were, all that is owed is owed still, not the first alone.
    since: isOwed && isSameTiming ? old.since : now,
    next,
    ...(old?.waiting !== undefined && { waiting: old.waiting }),
    open: old?.open ?? [],
    recent: old?.recent ?? [],
    counts: old?.counts ?? { submitted: 0, skipped: 0, missed: 0, failed: 0 },
  };
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
