import type { Crash, Evidence } from '@sluice/contracts';
import { weightOf } from './evidence.ts';

/**
 * What crashes say. `poison`: it is the task. `outage`: it is the whole type (or, of a resource, all that draws on it). `unsure`: it looks like an outage, but those
 * that do not crash may only be slower to end.
 */
export type Verdict = { readonly is: 'poison' } | { readonly is: 'outage' } | { readonly is: 'unsure'; readonly until: number };

/** Different tasks that crash, one after the other, until it can be the type; that many more for each that does not. */
const TASKS = 3;
/** Crashes longer ago than this have nothing to do with each other, ms. */
const LOOK_BACK_MS = 3_600_000;
/** A type of which an attempt did not crash so recently is busy: what does not crash now is heard of soon, ms. */
const BUSY_MS = 600_000;
/** How long a busy type must crash: twice as long as attempts take, within these, ms. */
const SPAN_MS = { least: 3_000, most: 60_000 } as const;
/** Types whose tasks crash until it can be a resource that they have in common. */
const TYPES_OF_RESOURCE = 2;
/** Tenants that may be the only ones whose tasks crash while others' do not. */
const POISONERS = 2;

/**
 * Poison or outage: whether crashes are of their tasks or of the whole type. It is an outage when, for some time up to
 * now, at least three different tasks crashed and hardly an attempt that began in that time did not. Attempts count from
 * when they began, so that long ones which began before an outage do not hide it. A task counts by its first crash alone:
 * neither one that is tried again and again is an outage, nor those that crashed among healthy ones and are all that is
 * left of a batch. Of a resource, tasks of two types at least must be among those that crash: of one, it may be the type.
 */
export function judge(evidence: Evidence, now: number, of: 'type' | 'resource' = 'type'): Verdict {
  const { crashes } = evidence;
  let unsure: Verdict | undefined;
  for (let i = crashes.length - 1; i >= 0; i--) {
    const run = crashes.slice(i);
    const first = run[0];
    if (!first || now - first.seen > LOOK_BACK_MS) break;
    if (!allCrash(run, first, evidence) || (of === 'resource' && typesOf(run) < TYPES_OF_RESOURCE)) continue;
    const until = first.seen + spanOf(evidence, first);
    if (now >= until) return { is: 'outage' };
    unsure ??= { is: 'unsure', until };
  }
  return unsure ?? { is: 'poison' };
}

function allCrash(run: readonly Crash[], first: Crash, { alive, tenants }: Evidence): boolean {
  const tasks = run.reduce((sum, crash) => sum + weightOf(crash), 0);
  const since = Math.floor(first.at / 1000);
  const others = alive.reduce((sum, [second, n]) => sum + (second >= since ? n : 0), 0);
  if (tasks < TASKS * (1 + others)) return false;
  const poisoners = new Set(run.map(({ tenant }) => tenant));
  return poisoners.size > POISONERS || !tenants.some(([tenant, at]) => at >= first.at && !poisoners.has(tenant));
}

function typesOf(run: readonly Crash[]): number {
  return new Set(run.map(({ type }) => type)).size;
}

function spanOf({ alive, aliveMs = 0 }: Evidence, first: Crash): number {
  const busy = alive.some(([second]) => second * 1000 >= first.at - BUSY_MS);
  return busy ? Math.min(SPAN_MS.most, Math.max(SPAN_MS.least, 2 * aliveMs)) : 0;
}
