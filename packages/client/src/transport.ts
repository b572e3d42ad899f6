import type * as z from 'zod';
import { apiErrorOf, ConnectionError, isClientError, SchemaMismatchError } from './errors.ts';
import { parseRetryAfter, pause, retryDelayMs } from './retry.ts';
import type { RetrySettings } from './retry.ts';

/** The part of `fetch` that the client uses. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface TransportSettings extends RetrySettings {
  /** Without a slash at its end. */
  readonly baseUrl: string;
  readonly token: string | (() => string | Promise<string>);
  readonly fetch: Fetch;
  /** ms that one try may take. */
  readonly timeoutMs: number;
}

export interface Call<T> {
  readonly method: 'GET' | 'POST';
  /** With its query, beginning with a slash. */
  readonly path: string;
  readonly schema: z.ZodType<T>;
  /** JSON text. */
  readonly body?: string;
  /** Sends no credentials. */
  readonly open?: boolean;
  /** ms that one try may take, where the default is too short. */
  readonly timeoutMs?: number;
  /** ms since the epoch after which nothing is repeated. */
  readonly deadline?: number;
  readonly signal?: AbortSignal | undefined;
}

export interface Answer<T> {
  readonly status: number;
  readonly data: T;
  readonly retryAfterSeconds: number | undefined;
}

/** Calls the API: credentials, time limit, repeats, and a checked answer. */
export class Transport {
  readonly settings: TransportSettings;

  constructor(settings: TransportSettings) {
    this.settings = settings;
  }

  /**
   * Makes a call, and repeats it on 429, 5xx and connection errors. Every call of this API is safe to repeat: reading
   * changes nothing, and a submission carries its id.
   */
  async call<T>(call: Call<T>): Promise<Answer<T>> {
    for (let repeat = 1; ; repeat++) {
      try {
        return await this.#once(call);
      } catch (error) {
        const delay = this.#delayAfter(error, repeat);
        if (delay === undefined || (call.deadline !== undefined && Date.now() + delay > call.deadline)) throw error;
        await pause(delay, call.signal);
      }
    }
  }

  #delayAfter(error: unknown, repeat: number): number | undefined {
    if (!isClientError(error) || !error.retryable) return undefined;
    const asked = error.kind === 'api' ? error.retryAfterSeconds : undefined;
    return retryDelayMs(this.settings, repeat, asked, Math.random());
  }

  async #once<T>(call: Call<T>): Promise<Answer<T>> {
    const headers: Record<string, string> = { accept: 'application/json' };
    if (call.body !== undefined) headers['content-type'] = 'application/json';
    if (!call.open) headers['authorization'] = `Bearer ${await this.#token()}`;
    call.signal?.throwIfAborted();
    const timeoutMs = call.timeoutMs ?? this.settings.timeoutMs;
    const timeout = AbortSignal.timeout(timeoutMs);
    const signal = call.signal ? AbortSignal.any([call.signal, timeout]) : timeout;
    const where = `${call.method} ${this.settings.baseUrl}${call.path}`;
    let response: Response;
    let text: string;
    try {
      response = await this.settings.fetch(this.settings.baseUrl + call.path, {
        method: call.method,
        headers,
        signal,
        ...(call.body !== undefined && { body: call.body }),
      });
      text = await response.text();
    } catch (cause) {
      if (call.signal?.aborted) throw call.signal.reason;
      const why = timeout.aborted ? `no answer within ${timeoutMs} ms` : reasonOf(cause);
      throw new ConnectionError(`${where}: ${why}`, { cause });
    }
    const retryAfterSeconds = parseRetryAfter(response.headers.get('retry-after'), Date.now());
    if (!response.ok) throw apiErrorOf(response.status, text, retryAfterSeconds);
    return { status: response.status, data: checked(call.schema, text, where), retryAfterSeconds };
  }

  async #token(): Promise<string> {
    const { token } = this.settings;
    return typeof token === 'string' ? token : await token();
  }
}

function checked<T>(schema: z.ZodType<T>, text: string, where: string): T {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (cause) {
    throw new SchemaMismatchError(`${where}: the answer is not JSON`, text, cause);
  }
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const first = parsed.error.issues[0];
  const at = first ? `${first.path.join('.') || 'the whole'}: ${first.message}` : 'unknown';
  throw new SchemaMismatchError(`${where}: the answer is not what this client knows (${at})`, text, parsed.error);
}

/** `fetch` says only "fetch failed"; what happened is in the cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
