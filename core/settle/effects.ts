import type { TaskEvent, TaskRow } from '@sluice/contracts';
import { submitDeliveries, type DueDelivery, type SubmitDeliveryDeps } from '../notify/submit-deliveries.ts';
import { homeOf } from '../permits/entry.ts';
import { releasePermits, type AttemptEnd, type HeldPermit, type ReleaseDeps } from '../permits/release.ts';
import type { EventBus } from '../ports/event-bus.ts';
import type { Timer } from '../ports/timer.ts';
import type { TypeRegistry } from '../ports/type-registry.ts';

/** What is left to do once a row is written: all of it may be repeated. */
export interface Effects {
  readonly release?: HeldPermit;
  readonly event?: TaskEvent;
  /** Webhooks and queues that are to be told. */
  readonly deliveries?: readonly DueDelivery[];
}

export interface EffectDeps extends ReleaseDeps, SubmitDeliveryDeps {
  readonly events: EventBus;
  readonly types: TypeRegistry;
}

/** The same effects, which say also what the end of the attempt tells of the capacity behind its lane. */
export function withEnd(effects: Effects, end: AttemptEnd | undefined): Effects {
  return end && effects.release ? { ...effects, release: { ...effects.release, end } } : effects;
}

/** The permit of the attempt that a row names. One that succeeded says of its lane that it is alive. */
export function permitOf(row: TaskRow): HeldPermit | undefined {
  const { run, state } = row;
  if (!run) return undefined;
  const own = { lane: homeOf(row, run.entry), cell: run.cell, permit: { expiry: run.leaseEnd, nonce: run.nonce } };
  const held = run.waited ? { ...own, behind: { tenant: row.tenant, type: row.type } } : own;
  return state === 'succeeded' ? { ...held, aliveAt: run.claimedAt } : held;
}

/**
 * Permits first, then events, then deliveries; the message that led here is deleted only after all of them. What can't be done for one lane does
 * not hold back the others'. @returns the effects that are not known to be applied, with the error of each.
 */
export async function applyEffects(deps: EffectDeps, effects: readonly Effects[]): Promise<ReadonlyMap<Effects, unknown>> {
  const failed = new Map<Effects, unknown>();
  const unreleased = await releasePermits(
    deps,
    effects.flatMap((e) => e.release ?? []),
  );
  for (const e of effects) if (e.release && unreleased.has(e.release)) failed.set(e, unreleased.get(e.release));
  const told = effects.filter((e) => e.event && !failed.has(e));
  try {
    if (told.length > 0) await deps.events.publish(told.flatMap((e) => e.event ?? []));
  } catch (error) {
    for (const e of told) failed.set(e, error);
  }
  const due = new Map(effects.flatMap((e) => (failed.has(e) ? [] : (e.deliveries ?? []).map((delivery) => [delivery, e] as const))));
  if (due.size === 0) return failed;
  for (const [delivery, error] of await submitDeliveries(deps, [...due.keys()])) {
    const e = due.get(delivery);
    if (e) failed.set(e, error);
  }
  return failed;
}

/** The same for effects that stand or fall together. @throws the first error */
export async function applyAll(deps: EffectDeps, effects: readonly Effects[]): Promise<void> {
  for (const error of (await applyEffects(deps, effects)).values()) throw error;
}

/** Milliseconds that a first effect waits for others, so that attempts that end together share the writes of a cell. */
const LINGER_MS = 5;

/** Applies effects as they come, those that are ready at the same time together. Each call resolves once its own are applied. */
export function coalesceEffects(deps: EffectDeps & { readonly timer: Timer }): (effects: Effects) => Promise<void> {
  let waiting: Effects[] = [];
  let next: Promise<ReadonlyMap<Effects, unknown>> | undefined;
  let last: Promise<unknown> = Promise.resolve();
  return async (effects) => {
    if (!effects.release && !effects.event && !effects.deliveries) return;
    waiting.push(effects);
    next ??= Promise.all([last, deps.timer.sleep(LINGER_MS)]).then(() => {
      const batch = waiting;
      waiting = [];
      next = undefined;
      const applied = applyEffects(deps, batch);
      last = applied;
      return applied;
    });
    const failed = await next;
    if (failed.has(effects)) throw failed.get(effects);
  };
}
