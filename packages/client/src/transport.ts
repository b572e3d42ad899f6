import type * as z from 'zod';
import { apiErrorOf, ConnectionError, isClientError, SchemaMismatchError } from './errors.ts';
import { MAX_TIMER_MS, parseRetryAfter, pause, retryDelayMs } from './retry.ts';
import type { RetrySettings } from './retry.ts';

/** The part of `fetch` that the client uses; every `fetch` has it. A body is JSON, as text or in UTF-8. */
export type Fetch = (
  url: string,
  init: { method: string; headers: Record<string, string>; body?: string | ArrayBuffer; signal: AbortSignal },
) => Promise<FetchResponse>;

/** The part of a `Response` that the client uses. */
export interface FetchResponse {
  readonly ok: boolean;
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  text(): Promise<string>;
}

export interface TransportSettings extends RetrySettings {
  /** Without a slash at its end. */
  readonly baseUrl: string;
  readonly token: string | (() => string | Promise<string>);
  readonly fetch: Fetch;
  /** ms that one try may take. */
  readonly timeoutMs: number;
}

export interface Call<T> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** With its query, beginning with a slash. */
  readonly path: string;
  /** What a success must look like; without it its body does not matter. */
  readonly schema?: z.ZodType<T>;
  /** JSON. */
  readonly body?: string | ArrayBuffer;
  /** Sends no credentials. */
  readonly open?: boolean;
  /**
   * What is repeated: `failed`, everything that may pass; `refused`, only a 429, for a call that must not have its effect
   * twice: whatever refuses for now does it before anything else. @default failed
   */
  readonly repeat?: 'failed' | 'refused';
  /** A repeat that is answered 404 tells that a try before it, whose answer was lost, has had its effect. */
  readonly removes?: boolean;
  /** ms that one try may take, where the default is too short. */
  readonly timeoutMs?: number;
  /** ms since the epoch after which nothing is repeated. */
  readonly deadline?: number;
  readonly signal?: AbortSignal | undefined;
}

export interface Answer<T> {
  readonly data: T;
  readonly retryAfterSeconds: number | undefined;
}

/** Calls the API: credentials, time limit, repeats, and a checked answer. */
export class Transport {
  readonly settings: TransportSettings;

  constructor(settings: TransportSettings) {
    this.settings = settings;
  }

  /** Makes a call, and repeats it on 429, 5xx and connection errors, as far as its {@link Call.repeat} lets it. */
  async call<T>(call: Call<T>): Promise<Answer<T>> {
    let unclear = false;
    for (let repeat = 1; ; repeat++) {
      try {
        return await this.#once(call);
      } catch (error) {
        const status = isClientError(error) && error.kind === 'api' ? error.status : undefined;
        if (call.removes && unclear && status === 404) return { data: undefined as T, retryAfterSeconds: undefined };
        unclear ||= status === undefined || status >= 500;
        const delay = call.repeat === 'refused' && status !== 429 ? undefined : this.#delayAfter(error, repeat);
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
    const where = `${call.method} ${this.settings.baseUrl}${call.path}`;
    const limit = limited(call.timeoutMs ?? this.settings.timeoutMs, call.signal);
    let response: FetchResponse;
    let text: string;
    try {
      response = await this.settings.fetch(this.settings.baseUrl + call.path, {
        method: call.method,
        headers,
        signal: limit.signal,
        ...(call.body !== undefined && { body: call.body }),
      });
      text = await response.text();
    } catch (cause) {
      if (call.signal?.aborted) throw call.signal.reason;
      throw new ConnectionError(`${where}: ${limit.exceeded() ?? reasonOf(cause)}`, { cause });
    } finally {
      limit.end();
    }
    const retryAfterSeconds = parseRetryAfter(response.headers.get('retry-after'), Date.now());
    if (!response.ok) throw apiErrorOf(response.status, text, retryAfterSeconds);
    return { data: call.schema ? checked(call.schema, text, where) : (undefined as T), retryAfterSeconds };
  }

  async #token(): Promise<string> {
    const { token } = this.settings;
    return typeof token === 'string' ? token : await token();
  }
}

/** A signal of a caller's abort or of the end of the time. Unlike `AbortSignal.any` and `timeout` it is gone with its call. */
function limited(timeoutMs: number, signal: AbortSignal | undefined) {
  const controller = new AbortController();
  let exceeded: string | undefined;
  const timer = setTimeout(
    () => {
      exceeded = `no answer within ${timeoutMs} ms`;
      controller.abort();
    },
    Math.min(timeoutMs, MAX_TIMER_MS),
  );
  const abort = () => controller.abort(signal?.reason);
  signal?.addEventListener('abort', abort);
  return {
    signal: controller.signal,
    exceeded: () => exceeded,
    end: () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    },
  };
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
