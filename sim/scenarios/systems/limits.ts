import { conforming } from '../../../core/admission/bounds.ts';
import type { World } from '../engine/world.ts';
import type { Entrance } from '../model/arrivals.ts';

/** One token bucket for all: who comes when it is empty is refused, whoever that is. What API Gateway's throttle does. */
export function oneBucket(world: World, rate: number, burst: number): Entrance {
  let tat: number | undefined;
  return {
    admit: (_, tasks) => {
      const answer = conforming(tat, world.now, { rate, burst }, tasks);
      tat = answer.tat;
      return { accepted: answer.admitted, retryAfterMs: 1_000 };
    },
  };
}

/** A token bucket of the same size for each tenant. */
export function bucketPerTenant(world: World, rate: number, burst: number): Entrance {
  const tats = new Map<number, number>();
  return {
    admit: (tenant, tasks) => {
      const answer = conforming(tats.get(tenant), world.now, { rate, burst }, tasks);
      tats.set(tenant, answer.tat);
      return { accepted: answer.admitted, retryAfterMs: Math.max(1_000, answer.waitMs) };
    },
  };
}
