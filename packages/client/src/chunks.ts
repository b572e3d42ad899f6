import type { Submission } from '@sluice/contracts';
import { pack } from './batch.ts';
import type { Place } from './batch.ts';
import { encode } from './encode.ts';
import type { Encoded } from './encode.ts';
import { ApiError, newApiError } from './errors.ts';
import type { SubmitItem } from './types.ts';

export type Source<T> = Iterable<T> | AsyncIterable<T>;

/** A submission of a chunk. Its JSON is in the chunk's body alone. */
export interface Numbered extends Place {
  /** Its place among all submissions. */
  readonly index: number;
  readonly id: string;
}

/** What goes out as one call. */
export interface Chunk {
  readonly items: readonly Numbered[];
  readonly body: ArrayBuffer;
}

export interface ChunkOptions {
  /** Tasks of one chunk, at most. */
  readonly tasks: number;
  /** Bytes of one chunk's tasks, with the commas between them, at most. */
  readonly bytes: number;
  /** Takes what cannot be sent at all. */
  readonly refuse: (index: number, item: SubmitItem) => Promise<void>;
  /** Ends the reading, even while the source is being waited for. */
  readonly signal: AbortSignal;
}

/** Cuts a source into chunks; the last one may have no tasks. When it is left early, the source is closed. */
export async function* chunksOf(
  source: Source<Submission>,
  { tasks, bytes: room, refuse, signal }: ChunkOptions,
): AsyncGenerator<Chunk, void, void> {
  const reader = Symbol.asyncIterator in source ? readAsync(source, signal) : readSync(source, signal);
  let chunk: Indexed[] = [];
  let bytes = 0;
  let index = 0;
  try {
    for (; ; index++) {
      const reading = reader.next();
      // A promise for each task of a source that has them at hand would be most of the work.
      const next = reading instanceof Promise ? await reading : reading;
      if (next.done) break;
      const item = encodedFor(room, next.value);
      if (item instanceof ApiError) {
        await refuse(index, { ok: false, id: next.value.id ?? '', error: item });
        continue;
      }
      if (chunk.length === tasks || bytes + item.bytes > room) {
        yield chunkOf(chunk);
        chunk = [];
        bytes = 0;
      }
      chunk.push({ index, item });
      bytes += item.bytes + 1;
    }
    if (index > 0) yield chunkOf(chunk);
  } finally {
    await reader.close();
  }
}

interface Indexed {
  readonly index: number;
  readonly item: Encoded;
}

function chunkOf(indexed: readonly Indexed[]): Chunk {
  const { body, places } = pack(indexed.map(({ item }) => item));
  return { body, items: indexed.map(({ index, item: { id } }, i) => ({ index, id, ...(places[i] as Place) })) };
}

function encodedFor(room: number, submission: Submission): Encoded | ApiError {
  try {
    const item = encode(submission);
    // Alone in a batch it has less room than alone in a call.
    return item.bytes > room ? newApiError(413, undefined, { text: `task ${item.id} does not fit one batch call` }) : item;
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
}

/** Reads a source until the signal is aborted. */
interface Reader<T> {
  /** @throws the signal's reason */
  readonly next: () => IteratorResult<T> | Promise<IteratorResult<T>>;
  /** Closes the source, unless it has ended. */
  readonly close: () => void | Promise<void>;
}

function readSync<T>(source: Iterable<T>, signal: AbortSignal): Reader<T> {
  const iterator = source[Symbol.iterator]();
  let ended = false;
  return {
    next: () => {
      signal.throwIfAborted();
      // Also when it throws: then there is nothing to close.
      ended = true;
      const next = iterator.next();
      ended = next.done === true;
      return next;
    },
    close: () => {
      if (!ended) iterator.return?.();
    },
  };
}

/** Leaves a source even while it is waited for: a generator that awaits something does not hear its `return()`. */
function readAsync<T>(source: AsyncIterable<T>, signal: AbortSignal): Reader<T> {
  const iterator = source[Symbol.asyncIterator]();
  let state: 'open' | 'reading' | 'ended' = 'open';
  const read = async () => {
    state = 'reading';
    try {
      const next = await iterator.next();
      state = next.done ? 'ended' : 'open';
      return next;
    } catch (error) {
      state = 'ended';
      throw error;
    }
  };
  return {
    next: () => {
      signal.throwIfAborted();
      return unlessAborted(read(), signal);
    },
    close: async () => {
      if (state === 'ended') return;
      const closed = Promise.resolve(iterator.return?.());
      // One that is being read closes when it comes to itself, which may be never.
      if (state === 'reading') closed.catch(() => undefined);
      else await closed;
    },
  };
}

/** @throws the signal's reason as soon as it is aborted, whatever becomes of the promise */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason as Error);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort);
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
