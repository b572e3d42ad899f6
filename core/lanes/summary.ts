import type { Breaker, LaneCapacity, LaneSummary, TaskTypeSpec, Waiting } from '@sluice/contracts';
import type { BacklogSize } from '../ports/backlog-store.ts';
import type { Cell, Lane } from '../ports/permit-store.ts';
import { limiterOf, limitsOf } from './limits.ts';
import { holding, whyOf } from './why.ts';

/** How a lane stands: what was read of it. */
export interface LaneStanding {
  readonly lane: Lane;
  /** Absent for a type that is not deployed. */
  readonly spec: TaskTypeSpec | undefined;
  /** All that it may have, from the first on. */
  readonly cells: readonly Cell[];
  /** Those of its resources and its type that ever saw a crash. */
  readonly breakers: readonly (Breaker | undefined)[];
  readonly capacities: readonly LaneCapacity[];
  readonly waiting: BacklogSize;
}

/** A lane as an operator sees it. Pure. */
export function summaryOf({ lane, spec, cells, breakers, capacities, waiting }: LaneStanding, now: number): LaneSummary {
  const limits = limitsOf(spec, cells, now);
  const breaker = holding(breakers, now);
  return {
    tenant: lane.tenant,
    type: lane.type,
    inFlight: limits.inFlight,
    limit: limits.limit,
    ...(spec && { limitedBy: limiterOf(limits, capacities) }),
    waiting: waitingOf(waiting, now),
    breaker: breaker?.state ?? 'closed',
    why: whyOf({ lane, spec, limits, capacities, breaker, waits: waiting.count > 0 }, now),
  };
}

export function waitingOf({ count, more, oldestAt }: BacklogSize, now: number): Waiting {
  return {
    tasks: count,
    more,
    ...(oldestAt !== undefined && {
      oldestDueAt: new Date(oldestAt).toISOString(),
      oldestAgeSeconds: Math.max(0, Math.floor((now - oldestAt) / 1000)),
    }),
  };
}

/** Several sizes as one. */
export function together(sizes: readonly BacklogSize[]): BacklogSize {
  const ats = sizes.flatMap(({ oldestAt }) => oldestAt ?? []);
  return {
    count: sizes.reduce((sum, { count }) => sum + count, 0),
    more: sizes.some(({ more }) => more),
    oldestAt: ats.length === 0 ? undefined : Math.min(...ats),
  };
}
