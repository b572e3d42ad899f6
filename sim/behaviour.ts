import type { HandlerAnswer } from '../core/ports/starter.ts';

/** What one run of a handler comes to. */
export interface Behaviour {
  readonly name: string;
  readonly ms: number;
  readonly answer: HandlerAnswer;
  /** It ran, and was neither throttled nor preempted: it may count as an attempt. */
  readonly counts: boolean;
  /** Its process ended. */
  readonly crashed: boolean;
  readonly success: boolean;
}
