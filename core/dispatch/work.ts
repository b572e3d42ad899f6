import { EVENT_AGE_SECONDS, type HintMessage, type StartMode, type TaskTypeSpec } from '@sluice/contracts';
import type { TenantTask } from '../hints/place.ts';
import type { Starter } from '../ports/starter.ts';
import type { ControlQueue } from '../ports/control-queue.ts';
import type { Timer } from '../ports/timer.ts';
import type { BacklogStore } from '../ports/backlog-store.ts';
import type { Place } from '../ports/permit-store.ts';
import { isAuto, startMode } from '../starts/choose.ts';
import type { SettleDeps } from '../settle/settle-outcome.ts';

export interface DispatchDeps extends SettleDeps {
  readonly backlog: BacklogStore;
  readonly starter: Starter;
  readonly timer: Timer;
  /** Where control is told of lanes that have less than they have work for. @default it finds out by itself, in a minute */
  readonly control?: ControlQueue;
  /** Where attempts may ask whether they shall go on. @default they can't */
  readonly attemptsUrl?: string;
}

/** One hinted task to be looked at. */
export interface Work extends TenantTask {
  /** Where the hint rests: a queue message that stays in flight while it is worked on, or an item of the lane's backlog. */
  readonly source: 'queue' | 'backlog';
  /** Where in the backlog. */
  readonly place?: Place;
  /** It is its class's own turn: no class above it has a reservation against it. */
  readonly own?: boolean;
  /** Its row is expected to be as the hint says, so that it need not be read first. */
  readonly blind: boolean;
}

/** What becomes of the hint: it may go (its successor is durable or its task is done), or it is received again later. */
export type WorkEnd = { readonly hint: 'done' } | { readonly hint: 'keep'; readonly seconds: number; readonly full?: boolean };
/** The lane is full (or dispatch has no time left for it): an item of the backlog stays where it is. */
export const STAY: WorkEnd = { hint: 'keep', seconds: 0, full: true };
export const DONE: WorkEnd = { hint: 'done' };

export function keep(seconds: number): WorkEnd {
  return { hint: 'keep', seconds };
}

/** What a lane's backlog was left as. `late`: there was no time to look whether there is more. */
export type Drained = 'left' | 'late';

/** A message received before may have been acted on before: its rows are read first. */
export function workOf(message: Extract<HintMessage, { kind: 'tasks' }>, receiveCount: number): Work[] {
  return message.tasks.map((task) => ({ tenant: message.tenant, task, source: 'queue', blind: receiveCount <= 1 }));
}

/** ms that a lease lasts beyond its attempt. */
export const GRACE_MS = 60_000;

/** How attempts of a type are started, as it is known now. It may be otherwise when it is asked again: a claim asks once. */
export async function modeOf({ starts }: Pick<DispatchDeps, 'starts'>, spec: TaskTypeSpec): Promise<StartMode> {
  return startMode(spec, isAuto(spec) ? await starts?.known(spec.type) : undefined);
}

/**
 * ms from the instant fixed before the permit to the end of the lease. It ends only when no run of it can begin or be
 * alive: the handler's time-out and a minute of grace, and for `event` the age that an event may reach before it starts.
 */
export function leaseMs(spec: TaskTypeSpec, mode: StartMode): number {
  return runMs(spec, mode) + GRACE_MS;
}

/** ms that an attempt may still take once it is invoked; an invocation later than the lease end less this is undone. */
export function runMs(spec: TaskTypeSpec, mode: StartMode): number {
  return spec.timeoutSeconds * 1000 + (mode === 'event' ? EVENT_AGE_MS : 0);
}

export const EVENT_AGE_MS = EVENT_AGE_SECONDS * 1000;
