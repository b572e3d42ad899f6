import type { Breaker, BreakerView, BreakerWhy } from '@sluice/contracts';
import { waitingOf } from '../lanes/summary.ts';
import type { BacklogSize } from '../ports/backlog-store.ts';
import { weightOf } from './evidence.ts';

/** Tenants that are named of those whose tasks crashed. */
const TENANTS = 10;

/** What waits behind a breaker. */
export interface Held {
  readonly size: BacklogSize;
  readonly lanes: number;
}

/** A breaker as an operator sees it. Pure. */
export function breakerView(breaker: Breaker, held: Held, now: number): BreakerView {
  const { key, state, since, seq, openedAt, probeAt, wave = 0, probes = [], passed = 0, crashed = 0 } = breaker;
  const underWay = probes.filter(([, until]) => until > now).length;
  return {
    breaker: key,
    state,
    // One that was never written has seen nothing.
    ...(seq > 0 && { since: instant(since) }),
    ...(openedAt !== undefined && { openedAt: instant(openedAt) }),
    ...(state === 'open' && probeAt !== undefined && { nextProbeAt: instant(probeAt) }),
    ...(state === 'half-open' && { probes: { atOnce: 2 ** wave, underWay, passed, crashed } }),
    why: whyOf(breaker),
    held: { ...waitingOf(held.size, now), lanes: held.lanes },
  };
}

function whyOf({ state, evidence: { crashes, alive } }: Breaker): BreakerWhy {
  const crashedTasks = crashes.reduce((sum, crash) => sum + weightOf(crash), 0);
  const tenants = [...new Set(crashes.map(({ tenant }) => tenant))];
  const from = crashes.reduce<number | undefined>((least, { at }) => Math.min(least ?? at, at), undefined);
  const to = crashes.reduce<number | undefined>((most, { seen }) => Math.max(most ?? seen, seen), undefined);
  const second = Math.floor((from ?? 0) / 1000);
  const otherAttempts = from === undefined ? 0 : alive.reduce((sum, [at, n]) => sum + (at >= second ? n : 0), 0);
  const seen = `attempts of ${count(crashedTasks, 'different task')} of ${count(tenants.length, 'tenant')} crashed, and ${otherAttempts} that began in that time did not`;
  return {
    message: crashedTasks === 0 ? 'no crash is remembered' : `${seen}: ${SO[state]}`,
    crashedTasks,
    tenants: tenants.slice(0, TENANTS),
    ...(from !== undefined && { from: instant(from) }),
    ...(to !== undefined && { to: instant(to) }),
    otherAttempts,
  };
}

const SO: Readonly<Record<Breaker['state'], string>> = {
  closed: 'not enough to be sure that it is not these tasks alone',
  open: 'it is all of them, so none starts before the next probe',
  'half-open': 'it was all of them, and a few start as probes',
};

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}

function instant(at: number): string {
  return new Date(at).toISOString();
}
