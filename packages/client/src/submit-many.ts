import { LIMITS } from '@sluice/contracts';
import type { Submission } from '@sluice/contracts';
import { BATCH_ROOM, callBatch, delayAfter, repack } from './batch.ts';
import { chunksOf } from './chunks.ts';
import type { Chunk, Numbered, Source } from './chunks.ts';
import { pause } from './retry.ts';
import type { Transport } from './transport.ts';
import type { SubmitFailure, SubmitItem, SubmitManyOptions, SubmitManyResult } from './types.ts';

/** Failures that a result keeps; an error has a stack, and all of a million would not fit memory. */
export const KEPT_FAILURES = 1_000;

/** The final answer to one submission of many. */
interface Ended {
  readonly index: number;
  readonly item: SubmitItem;
}

/**
 * Submits any number of tasks in calls of at most 500 tasks and 4 MB. The source is read only as fast as calls are
 * answered and answers are taken, and nothing is kept of an answer that has been told: memory does not grow.
 */
export async function submitMany(transport: Transport, source: Source<Submission>, options: SubmitManyOptions): Promise<SubmitManyResult> {
  const { concurrency = 4, chunkTasks = LIMITS.batchTasks, signal, onProgress, onResult } = options;
  requireCount('concurrency', concurrency, Infinity);
  requireCount('chunkTasks', chunkTasks, LIMITS.batchTasks);
  signal?.throwIfAborted();
  const totals = { done: 0, accepted: 0, deduplicated: 0, failed: 0 };
  const failures: SubmitFailure[] = [];
  // Aborted by the caller, or by the first thing that fails: then nothing more is read, begun or repeated.
  const stop = new AbortController();
  const abort = () => stop.abort(signal?.reason);
  signal?.addEventListener('abort', abort);

  const tell = inTurn(async (ends: readonly Ended[]) => {
    for (const { index, item } of ends) {
      totals.done += 1;
      if (item.ok) {
        totals.accepted += 1;
        if (item.task.deduplicated) totals.deduplicated += 1;
      } else {
        totals.failed += 1;
        if (failures.length < KEPT_FAILURES) failures.push({ index, id: item.id, error: item.error });
      }
      // Most do not wait; a promise for each of a million would be slow.
      const told = onResult?.(item, index);
      if (told) await told;
    }
  });

  const refuse = (index: number, item: SubmitItem) => tell([{ index, item }]);
  const chunks = chunksOf(source, { tasks: chunkTasks, bytes: BATCH_ROOM, refuse, signal: stop.signal });
  const worker = async () => {
    try {
      // A generator answers concurrent calls of next() one after another, which makes it the workers' queue.
      for (let next = await chunks.next(); !next.done; next = await chunks.next()) {
        if (next.value.items.length > 0) await submitChunk(transport, next.value, { tell, stop: stop.signal, signal });
        onProgress?.({ ...totals });
      }
    } catch (error) {
      if (!stop.signal.aborted) stop.abort(error);
      await chunks.return();
      throw error;
    }
  };
  try {
    // All workers come to their end before an error is thrown: nothing is submitted after the call has rejected.
    const ends = await Promise.allSettled(Array.from({ length: Math.min(concurrency, 1_000) }, worker));
    if (ends.some((end) => end.status === 'rejected')) throw stop.signal.reason;
    return { ...totals, failures };
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}

interface ChunkContext {
  readonly tell: (ends: readonly Ended[]) => Promise<void>;
  /** Ends pauses. */
  readonly stop: AbortSignal;
  /** Ends calls too. */
  readonly signal: AbortSignal | undefined;
}

/** Submits a chunk, and again what was refused for now, with the same ids. */
async function submitChunk(transport: Transport, chunk: Chunk, { tell, stop, signal }: ChunkContext): Promise<void> {
  let { items, body } = chunk;
  for (let repeat = 1; ; repeat++) {
    const answers = await callBatch(transport, body, items.length, signal);
    const ends: Ended[] = [];
    const refused: Numbered[] = [];
    const fraction = Math.random();
    let longest = 0;
    for (const [i, answer] of answers.entries()) {
      const item = items[i] as Numbered;
      const delay = delayAfter(transport, answer, repeat, fraction);
      if (delay === undefined) {
        ends.push({ index: item.index, item: answer.ok ? { ...answer, id: item.id } : { ok: false, id: item.id, error: answer.error } });
      } else {
        refused.push(item);
        longest = Math.max(longest, delay);
      }
    }
    await tell(ends);
    if (refused.length === 0) return;
    // Where a tenant is held to a rate, a few go each time: only calls of which nothing was taken are counted.
    if (refused.length < items.length) repeat = 0;
    await pause(longest, stop);
    const again = repack(body, refused);
    items = refused.map((item, i) => ({ ...item, ...again.places[i] }));
    body = again.body;
  }
}

/** Runs one at a time, in the order of the calls. After one that has failed none runs, and all fail with its error. */
function inTurn<A extends unknown[]>(run: (...args: A) => Promise<void>): (...args: A) => Promise<void> {
  let before: Promise<void> = Promise.resolve();
  return (...args) => (before = before.then(() => run(...args)));
}

function requireCount(name: string, value: number, max: number): void {
  if (!Number.isInteger(value) || value < 1 || value > max) {
    throw new TypeError(`${name} is ${value}; give a whole number from 1${max === Infinity ? '' : ` to ${max}`}`);
  }
}
