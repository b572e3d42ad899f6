import { LIMITS } from '@sluice/contracts';
import { PreemptedError } from './control.ts';
import { FatalError } from './errors.ts';
import { utf8Bytes } from './text.ts';

/** Where an attempt left off. */
export interface Checkpoints {
  /** See `TaskContext.checkpoint`. */
  readonly checkpoint: (data: unknown) => void;
  /** What was kept last in this attempt, as JSON has it; `undefined` where nothing was. */
  readonly kept: () => unknown;
}

/** Keeps the checkpoints of one attempt, until it ends. */
export function keepCheckpoints(signal: AbortSignal): Checkpoints {
  let kept: unknown;
  return {
    checkpoint: (data) => {
      kept = copyOf(data);
      if (signal.reason instanceof PreemptedError) throw signal.reason;
    },
    kept: () => kept,
  };
}

/** A copy by way of JSON: what becomes of the handler's own object afterwards is not in it. */
function copyOf(data: unknown): unknown {
  let text: string | undefined;
  try {
    text = JSON.stringify(data);
  } catch (cause) {
    throw new FatalError(`the checkpoint is not JSON: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
  if (text === undefined)
    throw new FatalError(`the checkpoint is not JSON: it is ${data === undefined ? 'undefined' : `a ${typeof data}`}`);
  const bytes = utf8Bytes(text);
  if (bytes > LIMITS.checkpointBytes) {
    throw new FatalError(
      `the checkpoint has ${bytes} bytes as JSON and at most ${LIMITS.checkpointBytes} are kept: put it into a store of your ` +
        'own, for example S3, and keep its key',
    );
  }
  return JSON.parse(text) as unknown;
}

/** Causes that are followed; a chain may be circular. */
const MAX_CAUSES = 4;

/** Whether an attempt that was asked to make room ended because of it: by the signal's reason, or by a call that was aborted. */
export function endedByPreemption(thrown: unknown, { reason }: AbortSignal): boolean {
  if (!(reason instanceof PreemptedError)) return false;
  let current = thrown;
  for (let depth = 0; depth <= MAX_CAUSES && typeof current === 'object' && current !== null; depth += 1) {
    if (current === reason || ('name' in current && current.name === 'AbortError')) return true;
    current = 'cause' in current ? current.cause : undefined;
  }
  return false;
}
