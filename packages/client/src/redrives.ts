import { redriveListSchema, redrivePlanSchema, redriveRequestSchema, redriveSchema, ROUTES, uidSchema } from '@sluice/contracts';
import type { Redrive, RedrivePlan, RedriveRequest } from '@sluice/contracts';
import { ulid } from 'ulid';
import type { DeadTasksFilter } from './dead.ts';
import { timeOf } from './paging.ts';
import { checkedNumber } from './options.ts';
import { pathOf } from './path.ts';
import { pause } from './retry.ts';
import type { Transport } from './transport.ts';
import type { CallOptions } from './types.ts';

/** Which dead tasks to run again, and how. */
export interface RedriveOptions extends Omit<RedriveRequest, 'filter' | 'dryRun'> {
  /** Which dead tasks; `{}` is all of them. Either this or `ids`. */
  readonly filter?: DeadTasksFilter | undefined;
}

/** How long {@link Redrives.wait} waits. */
export interface RedriveWaitOptions extends CallOptions {
  /** Seconds, 0 or more. @default 3600 */
  readonly timeoutSeconds?: number | undefined;
}

/** Pauses between two looks at a redrive, ms. */
const PAUSE = { first: 500, last: 10_000, factor: 1.5 };

/** Runs many dead tasks of the client's tenant again. Needs the scope `operate`, and `read` to look. */
export class Redrives {
  readonly #transport: Transport;

  /** @internal */
  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /**
   * Begins a redrive, which goes on by itself. The client gives it its `id` before the first try, so that its repeats are
   * the same redrive.
   *
   * @throws TypeError for options that are wrong
   * @throws ApiError `too_many_redrives`; `id_conflict` for an id that was given to another one
   */
  async create(options: RedriveOptions, { signal }: CallOptions = {}): Promise<Redrive> {
    const body = JSON.stringify(requestOf({ ...options, id: options.id ?? ulid() }));
    return (await this.#transport.call({ ...ROUTES.createRedrive, schema: redriveSchema, body, signal })).data;
  }

  /** What {@link create} would redrive; changes nothing. @throws TypeError for options that are wrong */
  async plan(options: RedriveOptions, { signal }: CallOptions = {}): Promise<RedrivePlan> {
    const body = JSON.stringify({ ...requestOf(options), dryRun: true });
    return (await this.#transport.call({ ...ROUTES.createRedrive, schema: redrivePlanSchema, body, signal })).data;
  }

  /** How far a redrive is. @throws ApiError `not_found` */
  async get(id: string, { signal }: CallOptions = {}): Promise<Redrive> {
    return (await this.#transport.call({ method: 'GET', path: redrivePath(ROUTES.getRedrive.path, id), schema: redriveSchema, signal }))
      .data;
  }

  /** All redrives of the tenant, the newest first. They are kept for 30 days after their end. */
  async *list({ signal }: CallOptions = {}): AsyncGenerator<Redrive, void, void> {
    let cursor: string | undefined;
    do {
      const path: string = ROUTES.listRedrives.path + (cursor === undefined ? '' : `?cursor=${cursor}`);
      const { data } = await this.#transport.call({ method: 'GET', path, schema: redriveListSchema, signal });
      yield* data.redrives;
      cursor = data.cursor;
    } while (cursor !== undefined);
  }

  /** Ends a redrive; what has been redriven stays so. @throws ApiError `state_conflict` for one that has ended otherwise */
  async cancel(id: string, options: CallOptions = {}): Promise<Redrive> {
    return this.#operate(ROUTES.cancelRedrive.path, id, options);
  }

  /** Holds a redrive up until it is resumed. @throws ApiError `state_conflict` for one that has ended */
  async pause(id: string, options: CallOptions = {}): Promise<Redrive> {
    return this.#operate(ROUTES.pauseRedrive.path, id, options);
  }

  /** Lets one go on that is paused or `stalled`. @throws ApiError `state_conflict` for one that has ended */
  async resume(id: string, options: CallOptions = {}): Promise<Redrive> {
    return this.#operate(ROUTES.resumeRedrive.path, id, options);
  }

  /**
   * Resolves once a redrive has ended (`done`, `stopped` or `cancelled`), or with how it stands when the time is over.
   * That its tasks run again does not mean that they have ended.
   */
  async wait(id: string, { timeoutSeconds = 3_600, signal }: RedriveWaitOptions = {}): Promise<Redrive> {
    const deadline = Date.now() + checkedNumber('timeoutSeconds', timeoutSeconds) * 1_000;
    for (let ms = PAUSE.first; ; ms = Math.min(ms * PAUSE.factor, PAUSE.last)) {
      const redrive = await this.get(id, { signal });
      const left = deadline - Date.now();
      if (redrive.endedAt !== undefined || left <= 0) return redrive;
      await pause(Math.min(ms, left), signal);
    }
  }

  async #operate(route: string, id: string, { signal }: CallOptions): Promise<Redrive> {
    return (await this.#transport.call({ method: 'POST', path: redrivePath(route, id), schema: redriveSchema, signal })).data;
  }
}

function requestOf({ filter, ...rest }: RedriveOptions): RedriveRequest {
  const request = { ...rest, ...(filter && { filter: { ...filter, from: timeOf('from', filter.from), to: timeOf('to', filter.to) } }) };
  const parsed = redriveRequestSchema.safeParse(request);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new TypeError(`${issue?.path.join('.') || 'the redrive'}: ${issue?.message}`);
}

function redrivePath(route: string, id: string): string {
  return pathOf(route, id, uidSchema, 'id of a redrive');
}
