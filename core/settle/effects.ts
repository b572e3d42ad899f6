import type { TaskEvent, TaskRow } from '@sluice/contracts';
import { releasePermits, type HeldPermit, type ReleaseDeps } from '../permits/release.ts';
import type { EventBus } from '../ports/event-bus.ts';
import type { Timer } from '../ports/timer.ts';

/** What is left to do once a row is written: all of it may be repeated. */
export interface Effects {
  readonly release?: HeldPermit;
  readonly event?: TaskEvent;
}

export interface EffectDeps extends ReleaseDeps {
  readonly events: EventBus;
}

/** The permit of the attempt that a row names. */
export function permitOf(row: TaskRow): HeldPermit | undefined {
  const { run, tenant, type, uid, fence } = row;
  return run && { lane: { tenant, type }, cell: run.cell, permit: { expiry: run.leaseEnd, uid, fence, nonce: run.nonce } };
}

/** Permits first, then events; the message that led here is deleted only after both. */
export async function applyEffects(deps: EffectDeps, effects: readonly Effects[]): Promise<void> {
  await releasePermits(deps, effects.flatMap((e) => e.release ?? []));
  const events = effects.flatMap((e) => e.event ?? []);
  if (events.length > 0) await deps.events.publish(events);
}

/** Milliseconds that a first effect waits for others, so that attempts that end together share the writes of a cell. */
const LINGER_MS = 5;

/** Applies effects as they come, those that are ready at the same time together. Each call resolves once its own are applied. */
export function coalesceEffects(deps: EffectDeps & { readonly timer: Timer }): (effects: Effects) => Promise<void> {
  let waiting: Effects[] = [];
  let next: Promise<void> | undefined;
  let last: Promise<unknown> = Promise.resolve();
  return (effects) => {
    if (!effects.release && !effects.event) return Promise.resolve();
    waiting.push(effects);
    next ??= Promise.all([last, deps.timer.sleep(LINGER_MS)]).then(() => {
      const batch = waiting;
      waiting = [];
      next = undefined;
      const applied = applyEffects(deps, batch);
      last = applied.catch(() => undefined);
      return applied;
    });
    return next;
  };
}
