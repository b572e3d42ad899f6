import type { ControlMessage } from '@sluice/contracts';

/** The queue that control is told by. */
export interface ControlQueue {
  /** Best effort, and does not throw: control looks at everything within a minute anyway. @returns whether it was taken */
  readonly tell: (message: ControlMessage) => Promise<boolean>;
}
