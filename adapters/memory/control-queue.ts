import type { ControlMessage } from '@sluice/contracts';
import type { ControlQueue } from '../../core/ports/control-queue.ts';

export interface MemoryControlQueue extends ControlQueue {
  /** Takes all that was told, in order. */
  readonly take: () => readonly ControlMessage[];
}

/** Keeps what is told. @param onTold called with each message when it is told */
export function createMemoryControlQueue(onTold: (message: ControlMessage) => void = () => undefined): MemoryControlQueue {
  const told: ControlMessage[] = [];
  return {
    tell: async (message) => {
      told.push(structuredClone(message));
      onTold(message);
      return true;
    },
    take: () => told.splice(0),
  };
}
