import { acceptedSchema, healthSchema, LIMITS, ROUTES, taskIdSchema, taskViewSchema, waitResponseSchema } from '@sluice/contracts';
import type { Accepted, Health } from '@sluice/contracts';
import { encode } from './encode.ts';
import { WaitTimeoutError } from './errors.ts';
import { pause } from './retry.ts';
import { submitMany } from './submit-many.ts';
import { Transport } from './transport.ts';
import type { Fetch } from './transport.ts';
import type {
  AnyTasks,
  CallOptions,
  GetOptions,
  SubmissionOf,
  SubmitManyOptions,
  SubmitManyResult,
  TaskMap,
  TaskOf,
  WaitOptions,
} from './types.ts';

export interface SluiceClientOptions {
  /** Where the platform is, without `/v1`: `https://abc.execute-api.eu-west-1.amazonaws.com`. */
  readonly baseUrl: string;
  /** An API token (`slc_…`), or what gives one at each try, for tokens that are renewed. */
  readonly token: string | (() => string | Promise<string>);
  /** @default the global `fetch` */
  readonly fetch?: Fetch;
  /** Repeats of a call after its first try, on 429, 5xx and connection errors; 0 for none. @default 5 */
  readonly retries?: number;
  /** ms; the bound of the first random delay, doubled for each repeat. @default 200 */
  readonly minRetryDelayMs?: number;
  /** ms; the cap of that bound. @default 20_000 */
  readonly maxRetryDelayMs?: number;
  /** Seconds; a longer `Retry-After` ends the call with its error. @default 60 */
  readonly maxRetryAfterSeconds?: number;
  /** ms that one try may take, answer included. The API itself ends a call at 30 s. @default 35_000 */
  readonly timeoutMs?: number;
}

/** Pauses between polls that were answered at once and named no time, ms: as the platform's load goes, not the task's. */
const POLL_PAUSES_MS = [250, 500, 1_000, 2_000, 4_000];

/**
 * The client of a Sluice deployment, for Node and browsers.
 *
 * @example
 * interface Tasks {
 *   thumbnail: { payload: { key: string; width: number }; result: { key: string } };
 * }
 * const sluice = new SluiceClient<Tasks>({ baseUrl, token });
 * const { id } = await sluice.submit({ type: 'thumbnail', payload: { key: 'a.jpg', width: 200 } });
 * const task = await sluice.wait(id);
 * if (task.state === 'succeeded') console.log(task.result);
 */
export class SluiceClient<Types extends TaskMap<Types> = AnyTasks> {
  readonly #transport: Transport;

  /** @throws TypeError naming the option that is wrong */
  constructor(options: SluiceClientOptions) {
    this.#transport = new Transport({
      baseUrl: checkedBaseUrl(options.baseUrl),
      token: options.token,
      // Called as a method of another object, a browser's fetch refuses.
      fetch: options.fetch ?? ((url, init) => fetch(url, init)),
      retries: checkedNumber('retries', options.retries ?? 5),
      minDelayMs: checkedNumber('minRetryDelayMs', options.minRetryDelayMs ?? 200),
      maxDelayMs: checkedNumber('maxRetryDelayMs', options.maxRetryDelayMs ?? 20_000),
      maxRetryAfterSeconds: checkedNumber('maxRetryAfterSeconds', options.maxRetryAfterSeconds ?? 60),
      timeoutMs: checkedNumber('timeoutMs', options.timeoutMs ?? 35_000),
    });
  }

  /**
   * Submits one task. With an `id` that is known it answers with the task that exists (`deduplicated`); without an id
   * the client makes one before its first try, so that its repeats are the same task.
   *
   * @throws ApiError `id_conflict` when the id is taken by a task with another type or payload; `unknown_type`, …
   * @throws ConnectionError when the repeats are used up: the task may have been accepted
   */
  async submit(submission: SubmissionOf<Types>, options: CallOptions = {}): Promise<Accepted> {
    const { json } = encode(submission);
    return (await this.#transport.call({ ...ROUTES.submit, schema: acceptedSchema, body: json, ...options })).data;
  }

  /**
   * Submits any number of tasks, some calls at a time, and resolves with one result for each, in their order. What is
   * refused for now is submitted again with the same id; what fails for good is a result with `ok: false`, and so are
   * all tasks of a call that fails as a whole. It rejects only when the source throws or the signal is aborted.
   */
  async submitMany(
    submissions: Iterable<SubmissionOf<Types>> | AsyncIterable<SubmissionOf<Types>>,
    options: SubmitManyOptions = {},
  ): Promise<SubmitManyResult> {
    return submitMany(this.#transport, submissions, options);
  }

  /** The task as it is now, with its timeline. @throws ApiError `not_found` for an id that this tenant does not have */
  async get(id: string, options: GetOptions = {}): Promise<TaskOf<Types>> {
    const { include = [], signal } = options;
    const query = include.length > 0 ? `?include=${include.join(',')}` : '';
    const path = pathOf(ROUTES.get.path, id) + query;
    return (await this.#transport.call({ method: 'GET', path, schema: taskViewSchema, signal })).data as TaskOf<Types>;
  }

  /**
   * Resolves with the task once it is terminal, its result included, whichever way it ended: look at `state`. The
   * platform holds each poll for up to 25 s, or answers at once when too many wait already.
   *
   * @throws WaitTimeoutError with the task as last seen
   * @throws ApiError `not_found` for an id that this tenant does not have
   */
  async wait(id: string, options: WaitOptions = {}): Promise<TaskOf<Types>> {
    const timeoutSeconds = checkedNumber('timeoutSeconds', options.timeoutSeconds ?? 300);
    const { signal } = options;
    const deadline = Date.now() + timeoutSeconds * 1_000;
    for (let poll = 0; ; poll++) {
      const left = (deadline - Date.now()) / 1_000;
      const seconds = Math.max(0, Math.min(LIMITS.waitSeconds, Math.floor(left)));
      const asked = Date.now();
      const { data, retryAfterSeconds } = await this.#transport.call({
        method: 'GET',
        path: `${pathOf(ROUTES.wait.path, id)}?wait=${seconds}`,
        schema: waitResponseSchema,
        timeoutMs: Math.max(this.#transport.settings.timeoutMs, (seconds + 10) * 1_000),
        deadline,
        signal,
      });
      if (data.done) return data.task as TaskOf<Types>;
      const now = Date.now();
      if (now >= deadline) throw new WaitTimeoutError(data.task, timeoutSeconds);
      await pause(Math.min(pollPauseMs(poll, now - asked, retryAfterSeconds), deadline - now), signal);
    }
  }

  /** Whether the platform answers, and its version. Needs no token. */
  async health(options: CallOptions = {}): Promise<Health> {
    return (await this.#transport.call({ ...ROUTES.health, schema: healthSchema, open: true, ...options })).data;
  }
}

/** A poll that was held needs no pause after it; one that was answered at once does, whatever the answer says. */
function pollPauseMs(poll: number, heldMs: number, retryAfterSeconds: number | undefined): number {
  const own = POLL_PAUSES_MS[Math.min(poll, POLL_PAUSES_MS.length - 1)] ?? 0;
  const floor = retryAfterSeconds === undefined ? 0 : retryAfterSeconds * 1_000;
  const rest = Math.max(0, own * (0.5 + Math.random() / 2) - heldMs);
  return Math.max(floor, rest);
}

function pathOf(route: string, id: string): string {
  const parsed = taskIdSchema.safeParse(id);
  if (!parsed.success) throw new TypeError(`${JSON.stringify(id)} is no task id: ${parsed.error.issues[0]?.message}`);
  return route.replace('{id}', encodeURIComponent(id));
}

function checkedBaseUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new TypeError(`baseUrl is ${JSON.stringify(text)}; give the platform's URL, such as https://sluice.example.com`);
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
}

function checkedNumber(name: string, value: number): number {
  if (!(value >= 0)) throw new TypeError(`${name} is ${value}; give a number that is not negative`);
  return value;
}
