import { LIMITS, type Envelope } from '@sluice/contracts';
import { setTimeout as sleep } from 'node:timers/promises';

/** How a payload is fetched from its presigned URL. */
export interface FetchPolicy {
  /** Tries in all. */
  readonly tries: number;
  /** Milliseconds for one try. */
  readonly tryTimeoutMs: number;
  /** Milliseconds before the second try; doubled for each one after it, half of it random. */
  readonly delayMs: number;
}

/** At worst about 21 s, or until the signal aborts. */
export const FETCH_POLICY: FetchPolicy = { tries: 4, tryTimeoutMs: 5_000, delayMs: 100 };

/** A payload that could not be fetched. Retryable: the next attempt gets a fresh URL. */
export class PayloadError extends Error {
  override name = 'PayloadError';
}

/**
 * The payload of an envelope: the one inside it, or the JSON behind its `payloadUrl`.
 * Connection errors, 408, 429 and 5xx are tried again; every other answer is final for this attempt.
 *
 * @throws PayloadError naming the last answer; the URL's query is left out, for it is a credential
 */
export async function readPayload(
  envelope: Pick<Envelope, 'payload' | 'payloadUrl'>,
  signal: AbortSignal,
  policy: FetchPolicy = FETCH_POLICY,
): Promise<unknown> {
  const { payloadUrl } = envelope;
  if (payloadUrl === undefined) return envelope.payload;
  for (let tried = 1; ; tried += 1) {
    const answer = await fetchOnce(payloadUrl, signal, policy.tryTimeoutMs);
    if (answer.ok) return parse(answer.text, payloadUrl);
    if (!answer.again || tried >= policy.tries || signal.aborted) {
      throw new PayloadError(`${withoutQuery(payloadUrl)}: ${answer.problem} (try ${tried} of ${policy.tries})`, {
        cause: answer.cause,
      });
    }
    const delayMs = policy.delayMs * 2 ** (tried - 1);
    // An abort during the pause ends in the next try, which fails at once and says why.
    await sleep(delayMs / 2 + (Math.random() * delayMs) / 2, undefined, { signal }).catch(() => undefined);
  }
}

type Answer =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly again: boolean; readonly problem: string; readonly cause?: unknown };

async function fetchOnce(url: string, signal: AbortSignal, timeoutMs: number): Promise<Answer> {
  try {
    const response = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]) });
    if (!response.ok) {
      await response.body?.cancel();
      const again = response.status >= 500 || response.status === 408 || response.status === 429;
      return { ok: false, again, problem: `answered ${response.status}` };
    }
    return await readBounded(response);
  } catch (cause) {
    return { ok: false, again: true, problem: cause instanceof Error ? cause.message : String(cause), cause };
  }
}

async function readBounded(response: Response): Promise<Answer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  const body: AsyncIterable<Uint8Array> | [] = response.body ?? [];
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    if (bytes > LIMITS.payloadBytes) {
      return { ok: false, again: false, problem: `is larger than a payload can be (${LIMITS.payloadBytes} bytes)` };
    }
    chunks.push(chunk);
  }
  return { ok: true, text: Buffer.concat(chunks).toString('utf8') };
}

function parse(text: string, url: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new PayloadError(`${withoutQuery(url)}: is not JSON`, { cause });
  }
}

function withoutQuery(url: string): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname;
}
