import {
  acceptedSchema,
  cancelledSchema,
  healthSchema,
  LIMITS,
  ROUTES,
  taskIdSchema,
  taskViewSchema,
  uidSchema,
  waitResponseSchema,
} from '@sluice/contracts';
import type { Accepted, Cancelled, Health, HeavyHitters } from '@sluice/contracts';
import { Breakers } from './breakers.ts';
import { Coalescer } from './coalesce.ts';
import { DeadTasks } from './dead.ts';
import { encode } from './encode.ts';
import { WaitTimeoutError } from './errors.ts';
import { callList, checkedQuery, listAll } from './list.ts';
import { checkedNumber, settingsOf } from './options.ts';
import type { SluiceClientOptions } from './options.ts';
import { pathOf } from './path.ts';
import { getHeavyHitters } from './heavy-hitters.ts';
import type { HeavyHittersOptions } from './heavy-hitters.ts';
import { Lanes } from './lanes.ts';
import { Quotas } from './quotas.ts';
import { Shards } from './shards.ts';
import { Redrives } from './redrives.ts';
import { pause } from './retry.ts';
import { Schedules } from './schedules.ts';
import { submitMany } from './submit-many.ts';
import { Tokens } from './tokens.ts';
import { Transport } from './transport.ts';
import { WebhookSecrets } from './webhook-secrets.ts';
import type {
  AnyTasks,
  CallOptions,
  GetOptions,
  ListFilter,
  PageFilter,
  RetryOptions,
  SubmissionOf,
  SubmitManyOptions,
  SubmitManyResult,
  TaskMap,
  TaskOf,
  TaskPage,
  TaskSummaryOf,
  WaitOptions,
} from './types.ts';

/** Pauses between polls that were answered at once and named no time, ms: as the platform's load goes, not the task's. */
const POLL_PAUSES_MS = [250, 500, 1_000, 2_000, 4_000];

/**
 * The client of a Sluice deployment, for Node and browsers.
 *
 * Every call rejects with a {@link ClientError}, with a `TypeError` for wrong arguments, or with the reason of its
 * `signal`. An {@link ApiError} `unauthorized` or `forbidden` may come from any of them.
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
  /** The tasks that failed for good; needs the scope `read`. */
  readonly dead: DeadTasks;
  /** Running many of them again; needs the scope `operate`. */
  readonly redrives: Redrives;
  /** The API tokens of the tenant; needs the scope `admin`. */
  readonly tokens: Tokens;
  /** The secrets that webhooks of the tenant are signed with; needs the scope `admin`. */
  readonly webhookSecrets: WebhookSecrets;
  /** What each tenant may have; needs the scope `platform`. */
  readonly quotas: Quotas;
  /** How tenants are spread over the shard queues; needs the scope `platform`. */
  readonly shards: Shards;
  /** What lanes may start, what waits in them, and why; needs the scope `read`. */
  readonly lanes: Lanes;
  /** The breakers of task types; needs the scope `platform`. */
  readonly breakers: Breakers;
  /** The schedules of the tenant. */
  readonly schedules: Schedules;
  readonly #transport: Transport;
  readonly #coalescer: Coalescer;

  /** @throws TypeError naming the option that is wrong */
  constructor(options: SluiceClientOptions) {
    const { coalesceMs, ...settings } = settingsOf(options);
    this.#transport = new Transport(settings);
    this.#coalescer = new Coalescer(this.#transport, coalesceMs);
    this.dead = new DeadTasks(this.#transport);
    this.redrives = new Redrives(this.#transport);
    this.tokens = new Tokens(this.#transport);
    this.webhookSecrets = new WebhookSecrets(this.#transport);
    this.quotas = new Quotas(this.#transport);
    this.shards = new Shards(this.#transport);
    this.lanes = new Lanes(this.#transport);
    this.breakers = new Breakers(this.#transport);
    this.schedules = new Schedules(this.#transport);
  }

  /**
   * Submits one task. With an `id` that is known it answers with the task that exists (`deduplicated`); without an id
   * the client makes one before its first try, so that its repeats are the same task.
   *
   * Submissions of the same 5 ms go out as one call ({@link SluiceClientOptions.coalesceMs}); each has its own answer,
   * its own repeats and its own signal. A signal that is aborted before the call takes the task out of it; afterwards
   * it only ends the waiting, and the task may have been accepted.
   *
   * @throws ApiError `id_conflict` when the id is taken by a task with another type or payload; `unknown_type`, …
   * @throws ConnectionError when the repeats are used up: the task may have been accepted
   */
  async submit(submission: SubmissionOf<Types>, { signal }: CallOptions = {}): Promise<Accepted> {
    return this.#coalescer.submit(encode(submission), signal);
  }

  /**
   * Submits any number of tasks, some calls at a time, in memory that does not grow with their number. What is refused
   * for now is submitted again with the same id; what fails for good is told and counted, and so are all tasks of a call
   * that fails as a whole. It rejects only when the source or `onResult` throws or the signal is aborted: then it closes
   * the source, and what was not told may have been accepted.
   *
   * @returns how many were accepted and how many failed, and the first 1,000 failures
   */
  async submitMany(
    submissions: Iterable<SubmissionOf<Types>> | AsyncIterable<SubmissionOf<Types>>,
    options: SubmitManyOptions = {},
  ): Promise<SubmitManyResult> {
    return submitMany(this.#transport, submissions, options);
  }

  /** Who submits most, of all tenants, as it was some seconds ago; needs the scope `platform`. */
  async heavyHitters(options: HeavyHittersOptions = {}): Promise<HeavyHitters> {
    return getHeavyHitters(this.#transport, options);
  }

  /** The task as it is now, with its timeline. @throws ApiError `not_found` for an id that this tenant does not have */
  async get(id: string, options: GetOptions = {}): Promise<TaskOf<Types>> {
    const { include = [], signal } = options;
    const query = include.length > 0 ? `?include=${include.join(',')}` : '';
    const path = taskPath(ROUTES.get.path, id) + query;
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
        path: `${taskPath(ROUTES.wait.path, id)}?wait=${seconds}`,
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

  /**
   * The tasks of the tenant, newest first. A page is fetched when the loop comes to it, and a loop that is left fetches
   * no more: memory holds one page, however many tasks there are. Tasks that are accepted meanwhile are not among them.
   *
   * @example
   * for await (const task of sluice.list({ state: 'failed', labels: { order: '17' } })) console.log(task.id, task.error);
   *
   * @throws TypeError at once, for a filter that is wrong
   * @throws ApiError in the loop, `not_enabled` on a platform that keeps no list
   */
  list(filter: ListFilter<Types> = {}, { signal }: CallOptions = {}): AsyncGenerator<TaskSummaryOf<Types>, void, void> {
    const tasks = listAll(this.#transport, checkedQuery(filter), signal);
    return tasks as AsyncGenerator<TaskSummaryOf<Types>, void, void>;
  }

  /**
   * One page of {@link list}, for lists that are turned by hand. A page may be empty and yet have a cursor.
   *
   * @throws ApiError `bad_cursor` for a cursor of another filter
   */
  async listPage(filter: PageFilter<Types> = {}, { signal }: CallOptions = {}): Promise<TaskPage<Types>> {
    return (await callList(this.#transport, checkedQuery(filter), signal)) as unknown as TaskPage<Types>;
  }

  /**
   * Cancels a task. One that has not started is `cancelled` when this resolves. One that runs is `cancelling`: its
   * attempt is asked to stop, and unless it succeeds all the same the task ends as cancelled. Repeating the call
   * changes nothing. Needs the scope `operate`.
   *
   * @throws ApiError `state_conflict` for a task that has ended otherwise; `not_found`
   */
  async cancel(id: string, { signal }: CallOptions = {}): Promise<Cancelled> {
    const { method, path } = ROUTES.cancel;
    return (await this.#transport.call({ method, path: taskPath(path, id), schema: cancelledSchema, signal })).data;
  }

  /**
   * Runs a task again that failed, expired or was cancelled: a new generation of its id, with the same payload. Needs
   * the scope `operate`, and `read` where no `uid` is given.
   *
   * The call names the generation that it means, so that however often it is repeated there is one new run
   * (`deduplicated` tells a repeat). Without `uid` the client asks for it first; a program that may itself call twice
   * for one failure gives the `uid` of the failed task.
   *
   * With a `payload` it is a new task of another id, which has what else the old one had; each names the other.
   *
   * @throws ApiError `state_conflict` for a task that has not ended, that succeeded, or that is another generation by
   *   now; `payload_gone`; `not_found`
   */
  async retry(id: string, { uid, as, signal }: RetryOptions = {}): Promise<Accepted> {
    const { method, path } = ROUTES.retry;
    const route = taskPath(path, id);
    if (uid !== undefined && !uidSchema.safeParse(uid).success) throw new TypeError(`${JSON.stringify(uid)} is no uid; give a task's uid`);
    const meant = uid ?? (await this.get(id, { signal })).uid;
    const body = as === undefined ? {} : { body: JSON.stringify(as) };
    return (await this.#transport.call({ method, path: `${route}?uid=${meant}`, schema: acceptedSchema, ...body, signal })).data;
  }

  /** Whether the platform answers, and its version. Needs no token. */
  async health({ signal }: CallOptions = {}): Promise<Health> {
    return (await this.#transport.call({ ...ROUTES.health, schema: healthSchema, open: true, signal })).data;
  }
}

/** A poll that was held needs no pause after it; one that was answered at once does, whatever the answer says. */
function pollPauseMs(poll: number, heldMs: number, retryAfterSeconds: number | undefined): number {
  const own = POLL_PAUSES_MS[Math.min(poll, POLL_PAUSES_MS.length - 1)] ?? 0;
  const floor = retryAfterSeconds === undefined ? 0 : retryAfterSeconds * 1_000;
  const rest = Math.max(0, own * (0.5 + Math.random() / 2) - heldMs);
  return Math.max(floor, rest);
}

function taskPath(route: string, id: string): string {
  return pathOf(route, id, taskIdSchema, 'task id');
}
