import type { Envelope, KitReply } from '@sluice/contracts';
import { setTimeout as sleep } from 'node:timers/promises';

/** What a task of the fault tests tells its handler to do. */
export interface Script {
  /**
   * `ok` returns; `fail` throws at every attempt, `fail-once` at the first one that counts; `fatal` fails for good;
   * `crash-once` ends its process at the first attempt that counts; `throttle-once` is throttled once, `throttle-long` for longer
   * than a queue can delay a message; `make-room` asks for some seconds whether it shall go on, and leaves off when it shall not.
   */
  readonly do: 'ok' | 'fail' | 'fail-once' | 'crash-once' | 'fatal' | 'throttle-once' | 'throttle-long' | 'make-room';
  /** Milliseconds that it takes first. */
  readonly ms?: number;
  /** Bytes of the result. */
  readonly resultBytes?: number;
  /** Makes the payload larger. */
  readonly filler?: string;
}

class FatalError extends Error {
  override readonly name = 'FatalError';
}

class ThrottledError extends Error {
  override readonly name = 'ThrottledError';
}

const LONG_MS = 30 * 60_000;

/** What the kit answers for a handler that asks to be left alone for a while. */
function throttledFor(retryAfterMs: number): KitReply {
  const now = Date.now();
  const error = { name: 'ThrottledError', message: 'come back later' };
  return { sluice: { version: 1, class: 'throttled', startedAt: now, endedAt: now, error, retryAfterMs } };
}

/** ms between two questions, for which it waits for an answer, and for which it asks. */
const ASK = { everyMs: 250, waitMs: 2_000, forMs: 5_000 };

/** Asks as the kit does. What is not answered is asked again. */
async function isToMakeRoom({ sluice: { control, tenant, task, uid, fence } }: Envelope): Promise<boolean> {
  if (control === undefined) return false;
  const body = JSON.stringify({ tenant, task, uid, fence, key: control.key });
  for (const end = Date.now() + ASK.forMs; Date.now() < end; await sleep(ASK.everyMs)) {
    const signal = AbortSignal.timeout(ASK.waitMs);
    const answer = await fetch(control.url, { method: 'POST', body, headers: { 'content-type': 'application/json' }, signal })
      .then((response) => response.json() as Promise<{ state?: string }>)
      .catch(() => undefined);
    if (answer?.state === 'preempting') return true;
  }
  return false;
}

/** What the kit answers for a handler that makes room at a checkpoint. */
function leftOff(): KitReply {
  const now = Date.now();
  return { sluice: { version: 1, class: 'preempted', startedAt: now, endedAt: now, checkpoint: { done: 'half' } } };
}

/** A handler without the kit. What it does depends on nothing but its event, so that a second run of it does the same. */
export async function handler(event: Envelope): Promise<unknown> {
  const { attempt, throttled = 0, fence } = event.sluice;
  const script = (event.payloadUrl === undefined ? event.payload : await (await fetch(event.payloadUrl)).json()) as Script;
  if (script.ms !== undefined) await sleep(script.ms);
  switch (script.do) {
    case 'ok':
      break;
    case 'fail':
      throw new Error('as it was told to');
    case 'fail-once':
      if (attempt === 1) throw new Error('the first attempt fails');
      break;
    case 'crash-once':
      if (attempt === 1) process.exit(1);
      break;
    case 'fatal':
      throw new FatalError('for good');
    case 'throttle-once':
      if (throttled === 0) throw new ThrottledError('slow down');
      break;
    case 'throttle-long':
      return throttledFor(LONG_MS);
    case 'make-room':
      if (event.sluice.checkpoint === undefined && (await isToMakeRoom(event))) return leftOff();
      break;
  }
  return { fence, ...(script.resultBytes !== undefined && { filler: 'x'.repeat(script.resultBytes) }) };
}
