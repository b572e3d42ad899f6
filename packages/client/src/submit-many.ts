import { batchResponseSchema, LIMITS, ROUTES } from '@sluice/contracts';
import type { BatchResult, Submission } from '@sluice/contracts';
import { encode } from './encode.ts';
import type { Encoded } from './encode.ts';
import { ApiError, isClientError, SchemaMismatchError } from './errors.ts';
import { pause, retryDelayMs } from './retry.ts';
import type { Transport } from './transport.ts';
import type { SubmitItem, SubmitManyOptions, SubmitManyResult } from './types.ts';

/** A submission of a chunk and its place among all of them. */
interface Numbered extends Encoded {
  readonly index: number;
}

const HEAD = '{"tasks":[';
const TAIL = ']}';

/**
 * Submits any number of tasks in calls of at most 500 tasks and 4 MB. The source is read only as fast as calls are
 * answered, so that it may be longer than memory is large; the results are kept.
 */
export async function submitMany(
  transport: Transport,
  source: Iterable<Submission> | AsyncIterable<Submission>,
  options: SubmitManyOptions,
): Promise<SubmitManyResult> {
  const { concurrency = 4, chunkTasks = LIMITS.batchTasks, signal, onProgress } = options;
  requireCount('concurrency', concurrency, Infinity);
  requireCount('chunkTasks', chunkTasks, LIMITS.batchTasks);
  const results: SubmitItem[] = [];
  const totals = { done: 0, accepted: 0, deduplicated: 0, failed: 0 };
  const record = (index: number, item: SubmitItem) => {
    results[index] = item;
    totals.done += 1;
    if (!item.ok) totals.failed += 1;
    else totals.accepted += 1;
    if (item.ok && item.task.deduplicated) totals.deduplicated += 1;
  };
  const chunks = chunksOf(source, chunkTasks, record);
  const worker = async () => {
    try {
      // A generator answers concurrent calls of next() one after another, which makes it the workers' queue.
      for (let next = await chunks.next(); !next.done; next = await chunks.next()) {
        if (next.value.length > 0) await submitChunk(transport, next.value, record, signal);
        onProgress?.({ ...totals });
      }
    } catch (error) {
      await chunks.return();
      throw error;
    }
  };
  // All workers come to their end before an error is thrown: nothing is submitted after the call has rejected.
  const ends = await Promise.allSettled(Array.from({ length: Math.min(concurrency, 1_000) }, worker));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
  return { ...totals, results };
}

/** Cuts the source into chunks; what cannot be sent at all is recorded at once. A last chunk may be empty. */
async function* chunksOf(
  source: Iterable<Submission> | AsyncIterable<Submission>,
  maxTasks: number,
  record: (index: number, item: SubmitItem) => void,
): AsyncGenerator<readonly Numbered[], void, void> {
  const room = LIMITS.bodyBytes - HEAD.length - TAIL.length;
  let chunk: Numbered[] = [];
  let bytes = 0;
  let index = -1;
  for await (const submission of source) {
    index += 1;
    let item: Encoded;
    try {
      item = encode(submission);
      // Alone in a batch it has less room than alone in a call.
      if (item.bytes > room) throw new ApiError(413, undefined, { text: `task ${item.id} does not fit one batch call` });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      record(index, { ok: false, id: submission.id ?? '', error });
      continue;
    }
    if (chunk.length === maxTasks || bytes + item.bytes > room) {
      yield chunk;
      chunk = [];
      bytes = 0;
    }
    chunk.push({ ...item, index });
    bytes += item.bytes + 1;
  }
  if (index >= 0) yield chunk;
}

/** Submits a chunk, and again what was refused for now, with the same ids. */
async function submitChunk(
  transport: Transport,
  chunk: readonly Numbered[],
  record: (index: number, item: SubmitItem) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  let pending = chunk;
  for (let repeat = 1; ; repeat++) {
    const answers = await callBatch(transport, pending, signal);
    const refused: { item: Numbered; error: ApiError }[] = [];
    for (const [i, item] of pending.entries()) {
      const answer = answers[i];
      if (!answer) throw new Error('an answer for each task');
      if (answer.ok) record(item.index, { ok: true, id: item.id, task: answer.task });
      else if (answer.error instanceof ApiError && answer.again) refused.push({ item, error: answer.error });
      else record(item.index, { ok: false, id: item.id, error: answer.error });
    }
    if (refused.length === 0) return;
    const asked = refused.map(({ error }) => error.retryAfterSeconds).filter((s) => s !== undefined);
    const delay = retryDelayMs(transport.settings, repeat, asked.length > 0 ? Math.max(...asked) : undefined, Math.random());
    if (delay === undefined) {
      for (const { item, error } of refused) record(item.index, { ok: false, id: item.id, error });
      return;
    }
    await pause(delay, signal);
    pending = refused.map(({ item }) => item);
  }
}

type ItemAnswer =
  | Extract<BatchResult, { ok: true }>
  | { readonly ok: false; readonly error: Extract<SubmitItem, { ok: false }>['error']; readonly again: boolean };

/** One batch call. Its own failure, after its repeats, is the failure of each of its tasks. */
async function callBatch(transport: Transport, items: readonly Numbered[], signal: AbortSignal | undefined): Promise<ItemAnswer[]> {
  try {
    const { data } = await transport.call({
      ...ROUTES.submitBatch,
      schema: batchResponseSchema,
      body: HEAD + items.map((item) => item.json).join(',') + TAIL,
      signal,
    });
    if (data.results.length !== items.length) {
      throw new SchemaMismatchError(`${data.results.length} results for ${items.length} tasks`, JSON.stringify(data));
    }
    return data.results.map((result) => {
      if (result.ok) return result;
      const seconds = result.error.details?.['retryAfterSeconds'];
      const retryAfterSeconds = typeof seconds === 'number' ? seconds : undefined;
      const error = new ApiError(result.error.status, result.error, { retryAfterSeconds });
      return { ok: false, error, again: error.retryable };
    });
  } catch (error) {
    if (signal?.aborted || !isClientError(error) || error.kind === 'wait_timeout') throw error;
    return items.map(() => ({ ok: false, error, again: false }));
  }
}

function requireCount(name: string, value: number, max: number): void {
  if (!Number.isInteger(value) || value < 1 || value > max) {
    throw new TypeError(`${name} is ${value}; give a whole number from 1${max === Infinity ? '' : ` to ${max}`}`);
  }
}
