import type { Breaker, BreakerCanary, Crash, Evidence } from '@sluice/contracts';
import { addAlive, addCrash, merged, NO_EVIDENCE } from './evidence.ts';
import { judge } from './judge.ts';
import { resourceOfKey } from './keys.ts';

/** Times of breakers, ms. */
export const BREAKER_TIMES = {
  /** Between two probes: doubles with each that crashes. */
  pause: { least: 5_000, most: 300_000 },
  /** One that opens again so soon after it closed begins with twice the pause that it had. */
  flapping: 600_000,
  /** By so much a tenant whose probe crashed lets others go before it. */
  shy: 10_000,
  /** As much for types, at a resource's: longer than the minute in which each lane with a backlog is told once. */
  shyType: 90_000,
  /** A half-open one that nobody probes any more closes; one whose only probe was lost is open again. */
  idle: 120_000,
  /** An open one for whose probe nobody asks has nothing waiting, and closes. */
  unasked: 1_800_000,
  /** An outage of more than a day no longer excuses the probes that crash: tasks that always crash come to an end. */
  excuse: 86_400_000,
} as const;

/** Waves of 1, 2, 4, 8, 16 and 32 attempts; then it is closed. */
const WAVES = 6;
/** Tenants that are remembered as shy. */
const SHY = 16;

export type Change<T> = { readonly next?: Breaker; readonly answer: T };

/** Whether a crash counts as an attempt of its task; if not, when the task may be tried again at the earliest. */
export type CrashAnswer = { readonly excused: false } | { readonly excused: true; readonly notBefore: number };

export interface ToldCrash extends Crash {
  /** The task had not crashed before. */
  readonly first: boolean;
  readonly canary?: BreakerCanary | undefined;
  /** What else its observer knows of the type's attempts. */
  readonly also: Evidence;
}

export function newBreaker(key: string, now: number): Breaker {
  return { v: 1, key, seq: 0, state: 'closed', since: now, opening: 0, evidence: NO_EVIDENCE };
}

function kindOf({ key }: Breaker): 'type' | 'resource' {
  return resourceOfKey(key) === undefined ? 'type' : 'resource';
}

/** No attempt passes before that instant. */
export function isShut(breaker: Breaker | undefined, now: number): boolean {
  return breaker?.state === 'open' && now < (breaker.probeAt ?? 0);
}

/** An attempt crashed. */
export function onCrash(breaker: Breaker, crash: ToldCrash, now: number): Change<CrashAnswer> {
  if (breaker.state !== 'closed')
    return isProbe(breaker, crash.uid, crash.canary) ? onProbeCrash(breaker, crash, now) : stray(breaker, now);
  const { at, seen, tenant, uid, type } = crash;
  const known = merged(breaker.evidence, crash.also);
  const of = kindOf(breaker);
  const first = { at, seen, tenant, uid, ...(of === 'resource' && { type }) };
  const evidence = crash.first ? addCrash(known, first) : known;
  const verdict = judge(evidence, now, of);
  if (verdict.is === 'outage') {
    const flaps = breaker.closedAt !== undefined && now - breaker.closedAt < BREAKER_TIMES.flapping;
    const next = opened({ ...breaker, evidence }, flaps ? longer(breaker) : BREAKER_TIMES.pause.least, now);
    return { next: { ...next, openedAt: now }, answer: { excused: true, notBefore: next.probeAt } };
  }
  const next = { ...breaker, evidence };
  return { next, answer: verdict.is === 'poison' ? { excused: false } : { excused: true, notBefore: verdict.until } };
}

/** Started by a dispatcher that did not know yet, or before it opened. */
function stray(breaker: Breaker, now: number): Change<CrashAnswer> {
  return { answer: { excused: true, notBefore: Math.max(now + BREAKER_TIMES.pause.least, breaker.probeAt ?? 0) } };
}

function onProbeCrash(breaker: Breaker, { uid, tenant, type, first }: ToldCrash, now: number): Change<CrashAnswer> {
  const ended = probeEnded(breaker, uid, now);
  const { passed = 0, crashed = 0 } = breaker;
  const shy = [...new Set([...(breaker.shy ?? []), tenant])].slice(-SHY);
  const shyTypes = [...new Set([...(breaker.shyTypes ?? []), ...(kindOf(breaker) === 'resource' && type !== undefined ? [type] : [])])];
  // Others pass: then it is this task, and for certain where it has crashed before.
  if (!first && passed > 0) return { next: waveOn(ended, now), answer: { excused: false } };
  const after = { ...ended, crashed: crashed + 1, shy, ...(shyTypes.length > 0 && { shyTypes: shyTypes.slice(-SHY) }) };
  if (after.crashed <= passed) return { next: waveOn(after, now), answer: { excused: false } };
  const next = opened(after, longer(breaker), now);
  const excused = now - (breaker.openedAt ?? now) < BREAKER_TIMES.excuse;
  return { next, answer: excused ? { excused, notBefore: next.probeAt } : { excused } };
}

/** A probe ended and did not crash. @returns whether more may be started now */
export function onProbePassed(breaker: Breaker, uid: string, canary: BreakerCanary, now: number): Change<boolean> {
  if (!isProbe(breaker, uid, canary)) return { answer: false };
  const next = waveOn({ ...probeEnded(breaker, uid, now), passed: (breaker.passed ?? 0) + 1 }, now);
  return { next, answer: next.state === 'closed' || next.wave !== breaker.wave };
}

/** What began before it opened may end well after: when there is too much of that, it was no outage. */
export function isTelling(breaker: Breaker | undefined, beganAt: number): boolean {
  const [first] = breaker?.evidence.crashes ?? [];
  return breaker?.state !== 'closed' && first !== undefined && beganAt >= first.at && beganAt <= (breaker?.openedAt ?? 0);
}

/** An attempt that is no probe ended and did not crash. @returns whether held tasks may go on */
export function onAlive(breaker: Breaker, tenant: string, beganAt: number, now: number): Change<boolean> {
  if (!isTelling(breaker, beganAt)) return { answer: false };
  const evidence = addAlive(breaker.evidence, tenant, beganAt, now);
  if (judge(evidence, now, kindOf(breaker)).is === 'outage') return { next: { ...breaker, evidence }, answer: false };
  return { next: closed(breaker, now), answer: true };
}

/** A probe never ran: its place is free again. */
export function onProbeUndone(breaker: Breaker, uids: readonly string[], opening: number): Change<void> {
  const probes = breaker.probes ?? [];
  const left = probes.filter(([uid]) => !uids.includes(uid));
  if (breaker.state !== 'half-open' || breaker.opening !== opening || left.length === probes.length) return { answer: undefined };
  return { next: { ...breaker, probes: left }, answer: undefined };
}

export interface Admission {
  readonly tenant: string;
  readonly type: string;
  /** Generations of the tasks that want to start, those first that are wanted most. */
  readonly uids: readonly string[];
  /** ms: when a probe of which nothing is heard counts as lost. */
  readonly until: number;
}

export type Admitted = 'all' | { readonly uids: readonly string[]; readonly canary: BreakerCanary };

/** Which attempts may start. While it is not closed that is a bounded number, over all lanes and dispatchers. */
export function admit(breaker: Breaker, { tenant, type, uids, until }: Admission, now: number): Change<Admitted> {
  if (breaker.state === 'closed') return { answer: 'all' };
  const canary = { breaker: breaker.key, opening: breaker.opening };
  const none: Change<Admitted> = { answer: { uids: [], canary } };
  if (isShut(breaker, now)) return none;
  const { shy = [], shyTypes = [], probeAt = 0, wave = 0 } = breaker;
  const shyMs = shyTypes.includes(type) ? BREAKER_TIMES.shyType : shy.includes(tenant) ? BREAKER_TIMES.shy : 0;
  if (wave === 0 && now < probeAt + shyMs) return none;
  const half = breaker.state === 'half-open' ? breaker : { ...breaker, state: 'half-open' as const, since: now, wave: 0, ended: 0 };
  const probes = (half.probes ?? []).filter(([uid, end]) => end > now && !uids.includes(uid));
  const granted = uids.slice(0, Math.max(0, waveSize(half) - (half.ended ?? 0) - probes.length));
  if (granted.length === 0) return none;
  const next = { ...half, probes: [...probes, ...granted.map((uid): [string, number] => [uid, until])] };
  return { next, answer: { uids: granted, canary } };
}

/** What time alone changes: nothing may wait for a probe that never comes. */
export function tend(breaker: Breaker, now: number): Breaker | undefined {
  if (breaker.state === 'half-open') {
    const busy = (breaker.probes ?? []).some(([, until]) => until > now);
    if (busy || now - breaker.since < BREAKER_TIMES.idle) return undefined;
    if ((breaker.passed ?? 0) > 0) return closed(breaker, now);
    return { ...opened(breaker, breaker.pauseMs ?? BREAKER_TIMES.pause.least, now), probeAt: now };
  }
  return breaker.state === 'open' && now - (breaker.probeAt ?? 0) >= BREAKER_TIMES.unasked ? closed(breaker, now) : undefined;
}

function isProbe(breaker: Breaker, uid: string, canary: BreakerCanary | undefined): boolean {
  if (breaker.state !== 'half-open' || canary?.opening !== breaker.opening) return false;
  return (breaker.probes ?? []).some(([probe]) => probe === uid);
}

function probeEnded(breaker: Breaker, uid: string, now: number): Breaker {
  const probes = (breaker.probes ?? []).filter(([probe]) => probe !== uid);
  return { ...breaker, probes, ended: (breaker.ended ?? 0) + 1, since: now };
}

function waveSize({ wave = 0 }: Breaker): number {
  return 2 ** wave;
}

function waveOn(breaker: Breaker, now: number): Breaker {
  if ((breaker.ended ?? 0) < waveSize(breaker)) return breaker;
  const wave = (breaker.wave ?? 0) + 1;
  return wave >= WAVES ? closed(breaker, now) : { ...breaker, wave, ended: 0 };
}

function longer({ pauseMs = 0 }: Breaker): number {
  const { least, most } = BREAKER_TIMES.pause;
  return Math.min(most, Math.max(least, 2 * pauseMs));
}

function opened(breaker: Breaker, pauseMs: number, now: number): Breaker & { probeAt: number } {
  const { v, key, seq, opening, openedAt, closedAt, shy, shyTypes, evidence } = breaker;
  return {
    v,
    key,
    seq,
    state: 'open',
    since: now,
    opening: opening + 1,
    evidence,
    pauseMs,
    probeAt: now + pauseMs,
    ...(openedAt !== undefined && { openedAt }),
    ...(closedAt !== undefined && { closedAt }),
    ...(shy && { shy }),
    ...(shyTypes && { shyTypes }),
  };
}

/** Its pause is kept: one that opens again soon goes on where it was. */
function closed({ v, key, seq, opening, pauseMs }: Breaker, now: number): Breaker {
  return {
    v,
    key,
    seq,
    state: 'closed',
    since: now,
    opening,
    evidence: NO_EVIDENCE,
    closedAt: now,
    ...(pauseMs !== undefined && { pauseMs }),
  };
}
