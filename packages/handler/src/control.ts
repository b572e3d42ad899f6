import { attemptAnswerSchema, type AttemptAnswer, type Envelope } from '@sluice/contracts';

/** The reason of the signal when the task was cancelled: whatever `run` throws then, the task ends as cancelled. */
export class CancelledError extends Error {
  override name = 'CancelledError';
}

/**
 * The reason of the signal when the attempt is to make room for a task of a higher class: what {@link TaskContext.checkpoint}
 * throws from then on. Thrown on, it ends the attempt free of charge; the task is tried again from its last checkpoint.
 */
export class PreemptedError extends Error {
  override name = 'PreemptedError';
}

/** The reason of the signal when the attempt's outcome is no longer wanted: its lease has ended, or its task has. */
export class SupersededError extends Error {
  override name = 'SupersededError';
}

/** Seconds between two questions, where a definition does not say. */
export const CHECK_SECONDS = 5;
/** ms until the first question: an attempt that is shorter asks nothing. */
const FIRST_CHECK_MS = 2_000;
/** ms that one answer may take. */
const ANSWER_MS = 5_000;

/**
 * Asks the platform again and again whether the attempt shall go on, and aborts it when not. An answer that does not
 * come is no answer: the attempt goes on and asks again.
 *
 * @param checkSeconds between two questions; the first comes after 2 s, or after this if it is less
 * @returns what ends the asking
 */
export function watchAttempt(envelope: Envelope, checkSeconds: number, abort: (reason: Error) => void): () => void {
  const { control, tenant, task, uid, fence } = envelope.sluice;
  if (!control) return () => undefined;
  const body = JSON.stringify({ tenant, task, uid, fence, key: control.key });
  const everyMs = checkSeconds * 1_000;
  const ended = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const askAfter = (ms: number): void => {
    timer = setTimeout(() => void ask(), ms);
    timer.unref();
  };
  const ask = async (): Promise<void> => {
    const state = await stateOf(control.url, body, ended.signal);
    if (ended.signal.aborted) return;
    if (state === 'cancelling') return abort(new CancelledError('the task was cancelled'));
    if (state === 'preempting') return abort(new PreemptedError('a task of a higher class waits for the room of this attempt'));
    if (state === 'over') return abort(new SupersededError('another attempt has taken the place of this one, or the task has ended'));
    askAfter(everyMs);
  };
  askAfter(Math.min(FIRST_CHECK_MS, everyMs));
  return () => {
    clearTimeout(timer);
    ended.abort();
  };
}

async function stateOf(url: string, body: string, ended: AbortSignal): Promise<AttemptAnswer['state'] | undefined> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
      signal: AbortSignal.any([ended, AbortSignal.timeout(ANSWER_MS)]),
    });
    const parsed = attemptAnswerSchema.safeParse(await response.json());
    return response.ok && parsed.success ? parsed.data.state : undefined;
  } catch {
    return undefined;
  }
}
