/** How an attempt ended. */
export const OUTCOMES = ['succeeded', 'throttled', 'failed', 'crashed'] as const;
export type AttemptEnd = (typeof OUTCOMES)[number];

/** A way to run tasks: the platform's own, or what it is compared with. */
export interface System {
  /** A task was accepted. */
  readonly submit: (task: number) => void;
  /** Its attempt ended. */
  readonly ended: (task: number, end: AttemptEnd) => void;
}
