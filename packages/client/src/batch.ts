import { acceptedSchema, LIMITS, ROUTES } from '@sluice/contracts';
import type { Accepted } from '@sluice/contracts';
import * as z from 'zod';
import type { Encoded } from './encode.ts';
import { anyProblemSchema, isClientError, newApiError, SchemaMismatchError } from './errors.ts';
import { retryDelayMs } from './retry.ts';
import type { Transport } from './transport.ts';
import type { SubmitError } from './types.ts';

const HEAD = '{"tasks":[';
const TAIL = ']}';
const COMMA = 0x2c;

/** Bytes that the tasks of one batch call may have together, with a comma between each two. */
export const BATCH_ROOM = LIMITS.bodyBytes - HEAD.length - TAIL.length;

/** Where a task is in the body of its call, in bytes. */
export interface Place {
  readonly start: number;
  readonly end: number;
}

/**
 * A body, as bytes: `fetch` keeps what it has sent until a full garbage collection, and a stream of text would fill the
 * heap with it.
 */
function newBody(sizes: readonly number[], write: (target: Uint8Array, index: number) => void): { body: ArrayBuffer; places: Place[] } {
  const bytes = sizes.reduce((sum, size) => sum + size + 1, HEAD.length + TAIL.length - 1);
  const body = new ArrayBuffer(bytes);
  const all = new Uint8Array(body);
  utf8.encodeInto(HEAD, all);
  const places: Place[] = [];
  let start = HEAD.length;
  for (const [index, size] of sizes.entries()) {
    if (index > 0) all[start++] = COMMA;
    write(all.subarray(start, start + size), index);
    places.push({ start, end: start + size });
    start += size;
  }
  utf8.encodeInto(TAIL, all.subarray(start));
  return { body, places };
}

const utf8 = new TextEncoder();

/** The body of a call with these tasks, and where each of them is in it. */
export function pack(items: readonly Encoded[]): { readonly body: ArrayBuffer; readonly places: readonly Place[] } {
  return newBody(
    items.map(({ bytes }) => bytes),
    (target, index) => utf8.encodeInto(items[index]?.json ?? '', target),
  );
}

/** The body of a call with some of the tasks of another one. */
export function repack(old: ArrayBuffer, kept: readonly Place[]): { readonly body: ArrayBuffer; readonly places: readonly Place[] } {
  return newBody(
    kept.map(({ start, end }) => end - start),
    (target, index) => target.set(new Uint8Array(old).subarray(kept[index]?.start, kept[index]?.end)),
  );
}

const batchSchema = z.object({
  results: z.array(
    z.union([z.object({ ok: z.literal(true), task: acceptedSchema }), z.object({ ok: z.literal(false), error: anyProblemSchema })]),
  ),
});

/** What a batch call has come to for one task. */
export type ItemAnswer =
  | { readonly ok: true; readonly task: Accepted }
  /** `again`: this task was refused for now, while its call went through. */
  | { readonly ok: false; readonly error: SubmitError; readonly again: boolean };

/**
 * One batch call, with its repeats. Its own failure is the failure of each of its tasks.
 * @returns an answer for each of its `count` tasks, in their order
 * @throws the signal's reason, and what the caller's own token function or fetch has thrown
 */
export async function callBatch(
  transport: Transport,
  body: ArrayBuffer,
  count: number,
  signal: AbortSignal | undefined,
): Promise<readonly ItemAnswer[]> {
  try {
    const { data } = await transport.call({ ...ROUTES.submitBatch, schema: batchSchema, body, signal });
    if (data.results.length !== count) {
      throw new SchemaMismatchError(`${data.results.length} results for ${count} tasks`, JSON.stringify(data));
    }
    return data.results.map((result) => {
      if (result.ok) return result;
      const seconds = result.error.details?.['retryAfterSeconds'];
      const retryAfterSeconds = typeof seconds === 'number' && seconds >= 0 ? seconds : undefined;
      const error = newApiError(result.error.status, result.error, { retryAfterSeconds });
      return { ok: false, error, again: error.retryable };
    });
  } catch (error) {
    if (signal?.aborted || !isClientError(error) || error.kind === 'wait_timeout') throw error;
    return Array.from({ length: count }, () => ({ ok: false, error, again: false }));
  }
}

/** Milliseconds until a task goes again that was refused for now; `undefined` for one that has its final answer. */
export function delayAfter({ settings }: Transport, answer: ItemAnswer, repeat: number, fraction: number): number | undefined {
  if (answer.ok || !answer.again) return undefined;
  const asked = answer.error.kind === 'api' ? answer.error.retryAfterSeconds : undefined;
  return retryDelayMs(settings, repeat, asked, fraction);
}
