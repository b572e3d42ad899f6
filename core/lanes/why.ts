import { PRIORITIES, type Breaker, type LaneCapacity, type LaneLimiter, type LaneSummary, type TaskTypeSpec } from '@sluice/contracts';
import { isShut } from '../breakers/decide.ts';
import { cellLimit, cellPausedUntil, hasBacklog, hasRetries, livePermits, ratesOf, retriesLeft, roomIn } from '../permits/cells.ts';
import type { Rate } from '../limits/gcra.ts';
import type { Cell, Lane } from '../ports/permit-store.ts';
import { limitUnder } from '../priority/ask.ts';
import { above, limitOf, SEEN_MS } from '../priority/reserve.ts';
import { DEFAULT_BUDGET } from '../retry/budget.ts';
import { limiterOf, type LaneLimits } from './limits.ts';

type Why = LaneSummary['why'];

/** What is looked at to say why a lane starts no more than it does. */
export interface LaneFacts {
  readonly lane: Lane;
  /** Absent for a type that is not deployed. */
  readonly spec: TaskTypeSpec | undefined;
  readonly limits: LaneLimits;
  readonly capacities: readonly LaneCapacity[];
  readonly breaker: Breaker | undefined;
  /** Whether anything was found in its backlog. */
  readonly waits: boolean;
}

/** Of the breakers that a lane's attempts pass, its resources' and its type's, the one that holds it. */
export function holding(breakers: readonly (Breaker | undefined)[], now: number): Breaker | undefined {
  return breakers.find((breaker) => isShut(breaker, now)) ?? breakers.find((breaker) => breaker && breaker.state !== 'closed');
}

/** The first thing that holds the lane back, in the order in which dispatch meets them. */
export function whyOf(facts: LaneFacts, now: number): Why {
  const { lane, spec, breaker, capacities } = facts;
  if (!spec) return { code: 'type_missing', message: `task type ${lane.type} is not deployed: its tasks wait until it is` };
  return (
    byBreaker(breaker, now) ??
    byCapacity(facts, capacities) ??
    byPace(facts, now) ??
    byRoom(facts, now) ??
    byBudget(facts, spec, now) ?? { code: 'open', message: openMessage(facts) }
  );
}

function byBreaker(breaker: Breaker | undefined, now: number): Why | undefined {
  if (!breaker || breaker.state === 'closed') return undefined;
  if (isShut(breaker, now)) {
    const probeAt = breaker.probeAt ?? now;
    return until(probeAt, {
      code: 'breaker_open',
      message: `the breaker ${breaker.key} is open: nothing starts before its next probe at ${instant(probeAt)}`,
    });
  }
  return {
    code: 'breaker_probing',
    message: `the breaker ${breaker.key} lets up to ${2 ** (breaker.wave ?? 0)} attempts through at once as probes, over all lanes`,
  };
}

function byCapacity({ lane, limits }: LaneFacts, capacities: readonly LaneCapacity[]): Why | undefined {
  const missing = capacities.find(({ by, attempts }) => by === 'resource' && attempts === undefined);
  if (missing) return { code: 'resource_missing', message: `resource ${missing.name} is not deployed: it has nothing to give` };
  if (limits.allowed > 0) return undefined;
  const { by, name } = limiterOf(limits, capacities);
  const used = capacities.find((capacity) => capacity.by === by && capacity.name === name);
  const rest = used
    ? `the capacity of ${NOUNS[used.by]} ${used.name} is given to others, ${used.given} of ${used.attempts}: it gets some as their attempts end`
    : 'it gets some within 10 s of having work';
  return { code: 'no_share', message: `lane ${lane.type} of ${lane.tenant} was given nothing of its capacities; ${rest}` };
}

const LIMITERS: Readonly<Record<LaneLimiter, (name: string) => string>> = {
  concurrency: () => "that is its type's concurrency",
  adaptive: () => 'that is what it has found that is behind it takes',
  type: (name) => `that is its part of the capacity of type ${name}, which is used up`,
  resource: (name) => `that is its part of resource ${name}, which is used up`,
  quota: (name) => `that is its part of the cap of tenant ${name}, which is used up`,
  share: () => 'that is its share, and it gets more within 10 s of needing it',
};
const NOUNS: Readonly<Record<LaneCapacity['by'], string>> = { type: 'type', resource: 'resource', quota: 'tenant' };

function byPace({ spec, limits: { rules, inUse } }: LaneFacts, now: number): Why | undefined {
  const [first] = inUse;
  const { allowed, nextAt } = ratesOf(rules, first, 1, now);
  if (allowed === 0) {
    const own = ratesOf({ ...rules, divided: false }, first, 1, now);
    if (own.allowed === 0 && own.nextAt >= nextAt) {
      return until(nextAt, {
        code: 'rate',
        message: `its rates (${textOf(rules.rates)}) let the next attempt start at ${instant(nextAt)}`,
      });
    }
    return byRatesOfResources(first?.rateShare?.windows ?? [], spec?.resources ?? [], nextAt);
  }
  const pauses = inUse.map((cell) => cellPausedUntil(rules, cell));
  if (pauses.length === 0 || pauses.some((at) => at <= now)) return undefined;
  const at = Math.min(...pauses);
  return until(at, { code: 'paused', message: `its only attempt was throttled: the next one starts at ${instant(at)}` });
}

/** What it was given of them is the least that any of them gave. */
function byRatesOfResources(parts: readonly Rate[], resources: readonly string[], nextAt: number): Why {
  const of = `${resources.length === 1 ? 'resource' : 'resources'} ${resources.join(', ')}`;
  if (parts.some(({ limit }) => limit === 0)) {
    return { code: 'rate', message: `it was given nothing of the rates of ${of}: it gets some within 10 s of having work, or by turns` };
  }
  const message = `its part of the rates of ${of} (${textOf(parts)}) lets the next attempt start at ${instant(nextAt)}`;
  return until(nextAt, { code: 'rate', message });
}

function textOf(rates: readonly Rate[] = []): string {
  return rates.map(({ limit, perSeconds }) => `${limit} in ${perSeconds} s`).join(' and ');
}

function byRoom({ limits, capacities }: LaneFacts, now: number): Why | undefined {
  const { rules, inUse, inFlight, limit } = limits;
  if (!inUse.some((cell, index) => roomIn(rules, index, cell, now) > 0)) {
    const { by, name = '' } = limiterOf(limits, capacities);
    return { code: 'full', message: `${inFlight} attempts are in flight and ${limit} may be: ${LIMITERS[by](name)}` };
  }
  const next = PRIORITIES.find((priority) => inUse.some((cell) => hasBacklog(cell) && cell.waits?.includes(priority)));
  if (next === undefined || above(next).length === 0) return undefined;
  const hasRoom = inUse.some((cell, index) => {
    const whole = cellLimit(rules, index, cell);
    const reserve = { for: above(next), since: now - SEEN_MS, limit: limitOf(next, whole) };
    return limitUnder(cell, whole, { reserve }) > livePermits(cell, now).length;
  });
  if (hasRoom) return undefined;
  return { code: 'reserved', message: `what is free is kept for ${above(next).join(' and ')}: ${next} waits for an attempt to end` };
}

function byBudget({ limits: { inUse } }: LaneFacts, { retryBudget = DEFAULT_BUDGET }: TaskTypeSpec, now: number): Why | undefined {
  if (inUse.some(hasBacklog) || !inUse.some(hasRetries)) return undefined;
  if (budgetOf(inUse, retryBudget, now) > 0) return undefined;
  const { percent, perMinute } = retryBudget;
  return {
    code: 'retry_budget',
    message: `only retries wait, and the lane's budget for them (${percent} % of first attempts, or ${perMinute} a minute) is used up`,
  };
}

/** Retries that a lane may start now. */
export function budgetOf(inUse: readonly Cell[], rules = DEFAULT_BUDGET, now: number): number {
  return inUse.reduce((sum, cell) => sum + retriesLeft(cell, rules, inUse.length, now), 0);
}

function openMessage({ waits, limits: { limit, inFlight } }: LaneFacts): string {
  const room = `${Math.max(0, limit - inFlight)} more attempts may start`;
  return waits ? `nothing holds it back: ${room}, and what waits is told to go on` : `nothing holds it back: ${room}`;
}

function until(at: number, why: Why): Why {
  return { ...why, until: instant(at) };
}

function instant(at: number): string {
  return new Date(at).toISOString();
}
