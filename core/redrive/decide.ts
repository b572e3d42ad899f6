import type { CanaryResult, Generation, RedriveRecord } from '@sluice/contracts';

/** Tasks that are redriven together: one page of the index, and some calls of each kind. */
const PAGE = 100;
/** ms between two looks at the first wave: half of the time that it has run, within these. */
const WATCH_MS = { min: 2_000, max: 60_000 };

export type RedriveStep =
  /** It has ended, or is paused: nothing follows. */
  | { readonly do: 'rest' }
  /** Everything has been done. */
  | { readonly do: 'finish' }
  /** Look for so many more tasks. */
  | { readonly do: 'plan'; readonly wanted: number }
  /** Redrive the page that is written down. */
  | { readonly do: 'redrive' }
  /** Look at how the first wave has ended. */
  | { readonly do: 'watch' };

/** What became of a task whose turn it was. */
export type RedriveOutcome =
  | { readonly did: 'redriven' }
  /** Somebody else had redriven it, or it was gone. */
  | { readonly did: 'skipped' }
  | { readonly did: 'failed'; readonly code: string };

export interface Found {
  readonly page: readonly Generation[];
  readonly position: string;
  readonly scanned: number;
  readonly exhausted: boolean;
}

export type WaveEnd = 'succeeded' | 'failed' | 'unfinished';

/** Whether nothing comes after it. */
export function hasEnded(record: RedriveRecord): boolean {
  return record.state === 'done' || record.state === 'stopped' || record.state === 'cancelled';
}

/** What a redrive does next, as it stands. */
export function nextStep(record: RedriveRecord): RedriveStep {
  if (hasEnded(record) || record.state === 'paused') return { do: 'rest' };
  const left = (record.limit ?? Infinity) - record.matched;
  if (record.state === 'canary') {
    if (record.wave) return { do: 'watch' };
    const wanted = Math.min((record.canary?.tasks ?? 0) - record.page.length, left);
    if (wanted > 0 && !record.exhausted) return { do: 'plan', wanted };
  }
  if (record.page.length > 0) return { do: 'redrive' };
  if (record.exhausted || left <= 0) return { do: 'finish' };
  return { do: 'plan', wanted: Math.min(PAGE, record.ratePerSecond, left) };
}

export function planned(record: RedriveRecord, found: Found): RedriveRecord {
  return {
    ...record,
    page: [...record.page, ...found.page],
    position: found.position,
    scanned: record.scanned + found.scanned,
    matched: record.matched + found.page.length,
    exhausted: found.exhausted,
  };
}

/** The page is done. Those of a first wave are watched from now on. */
export function redriven(record: RedriveRecord, outcomes: readonly RedriveOutcome[], now: number): RedriveRecord {
  const failed = { ...record.failed };
  for (const outcome of outcomes) if (outcome.did === 'failed') failed[outcome.code] = (failed[outcome.code] ?? 0) + 1;
  const count = (did: RedriveOutcome['did']) => outcomes.filter((outcome) => outcome.did === did).length;
  const next: RedriveRecord = {
    ...record,
    page: [],
    redriven: record.redriven + count('redriven'),
    skipped: record.skipped + count('skipped'),
    failed,
  };
  if (record.state !== 'canary' || !record.canary) return next;
  const wave = record.page.filter((_, n) => outcomes[n]?.did === 'redriven').map(({ id }) => id);
  // With nobody to watch there is nothing to learn.
  if (wave.length === 0) return { ...next, state: 'running' };
  return { ...next, wave, watchUntil: now + record.canary.waitSeconds * 1_000 };
}

/** Judges the first wave: stop as soon as too many have failed, go on when all have ended or the time is over. */
export function watched(record: RedriveRecord, ends: readonly WaveEnd[], now: number): RedriveRecord {
  const count = (end: WaveEnd) => ends.filter((each) => each === end).length;
  const waveResult: CanaryResult = {
    redriven: ends.length,
    succeeded: count('succeeded'),
    failed: count('failed'),
    unfinished: count('unfinished'),
  };
  const share = record.canary?.maxFailureShare ?? 1;
  if (waveResult.failed > share * ends.length) {
    const reason = `${waveResult.failed} of the first ${ends.length} tasks failed again, more than the share of ${share} that was allowed`;
    return withoutWave({ ...record, state: 'stopped', reason, waveResult, endedAt: now });
  }
  if (waveResult.unfinished > 0 && now < (record.watchUntil ?? 0)) return { ...record, waveResult };
  return withoutWave({ ...record, state: 'running', waveResult });
}

/** ms: when to look at the first wave again. */
export function watchAgainAt({ canary, watchUntil = 0 }: RedriveRecord, now: number): number {
  const began = watchUntil - (canary?.waitSeconds ?? 0) * 1_000;
  const pause = Math.min(Math.max((now - began) / 2, WATCH_MS.min), WATCH_MS.max);
  return Math.min(Math.ceil(now + pause), Math.max(watchUntil, now));
}

export function finished(record: RedriveRecord, now: number): RedriveRecord {
  return { ...record, state: 'done', endedAt: now };
}

/** What a slice has done, with what somebody has meanwhile decided of the redrive. */
export function withDecision(own: RedriveRecord, stored: RedriveRecord): RedriveRecord {
  const merged = { ...own, version: stored.version };
  if (stored.state === 'cancelled') return { ...merged, state: 'cancelled', ...(stored.endedAt && { endedAt: stored.endedAt }) };
  if (stored.state === 'paused' && !hasEnded(own)) {
    return { ...merged, state: 'paused', pausedIn: own.state === 'canary' ? 'canary' : 'running' };
  }
  return merged;
}

function withoutWave({ wave: _, watchUntil: __, ...record }: RedriveRecord): RedriveRecord {
  return record;
}
