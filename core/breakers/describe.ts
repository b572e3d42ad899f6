import { breakerKey, type Breaker, type BreakerState } from '@sluice/contracts';
import type { BreakerDeps } from './change.ts';

/** A breaker as an operator sees it. */
export interface BreakerView {
  readonly key: string;
  readonly state: BreakerState;
  /** ms: when this state began, or a probe last ended. */
  readonly since: number;
  /** ms: when it opened first, since it was closed. */
  readonly openedAt?: number;
  /** ms: no probe before that. */
  readonly probeAt?: number;
  /** Attempts that may be under way at once as probes, and that are. */
  readonly wave?: { readonly size: number; readonly underWay: number };
  /** Crashes that are remembered of a closed one. */
  readonly crashes: number;
}

export function describeBreaker(breaker: Breaker, now: number): BreakerView {
  const { key, state, since, openedAt, probeAt, wave = 0, probes = [], evidence } = breaker;
  return {
    key,
    state,
    since,
    crashes: evidence.crashes.length,
    ...(openedAt !== undefined && { openedAt }),
    ...(state === 'open' && probeAt !== undefined && { probeAt }),
    ...(state === 'half-open' && { wave: { size: 2 ** wave, underWay: probes.filter(([, until]) => until > now).length } }),
  };
}

/** The breaker of a task type as it is now; `undefined` when none of its attempts crashed of late. */
export async function breakerOfType(
  { breakers, clock }: Pick<BreakerDeps, 'breakers' | 'clock'>,
  type: string,
): Promise<BreakerView | undefined> {
  const breaker = await breakers.read(breakerKey(type));
  return breaker && describeBreaker(breaker, clock.now());
}

/** The breakers that are not closed, as they were known some seconds ago. */
export async function openBreakers({ breakers, clock }: Pick<BreakerDeps, 'breakers' | 'clock'>): Promise<readonly BreakerView[]> {
  const now = clock.now();
  return (await breakers.notClosed()).map((breaker) => describeBreaker(breaker, now));
}
