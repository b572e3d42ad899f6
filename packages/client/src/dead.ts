import { deadResponseSchema, listDeadQuerySchema, ROUTES } from '@sluice/contracts';
import type { DeadQuery, DeadReason, DeadResponse, DeadTask } from '@sluice/contracts';
import { SchemaMismatchError } from './errors.ts';
import type { Transport } from './transport.ts';
import type { CallOptions } from './types.ts';

/** Which dead tasks: all of it must hold. */
export interface DeadTasksFilter {
  /** @default all types but the platform's own */
  readonly type?: string | undefined;
  /** The name of the error, exactly. */
  readonly error?: string | undefined;
  readonly reason?: DeadReason | undefined;
  /** Labels that a task must have, up to 10. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** Failed at or after this time: a date, or ISO 8601 text with its offset. @default all that are kept */
  readonly from?: Date | string | undefined;
  /** Failed before this time. @default now */
  readonly to?: Date | string | undefined;
}

/** Which dead tasks to list. */
export interface DeadListFilter extends DeadTasksFilter {
  /** Tasks of one page, 1 to 200: how many one call fetches at most. @default 50 */
  readonly pageSize?: number | undefined;
}

/** Which page of the dead tasks. */
export interface DeadPageFilter extends DeadListFilter {
  /** The `cursor` of the page before, with the same filter. @default the first page */
  readonly cursor?: string | undefined;
}

/** The tasks of the client's tenant that failed for good and that nobody has redriven. */
export class DeadTasks {
  readonly #transport: Transport;

  /** @internal */
  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /**
   * All dead tasks that fit, those that failed last first. A page is fetched when the loop comes to it.
   *
   * @example
   * for await (const task of sluice.dead.list({ type: 'thumbnail', error: 'TypeError' })) console.log(task.id, task.failedAt);
   *
   * @throws TypeError at once, for a filter that is wrong
   */
  list(filter: DeadListFilter = {}, { signal }: CallOptions = {}): AsyncGenerator<DeadTask, void, void> {
    return this.#all(queryOf(filter), signal);
  }

  /** One page of {@link list}. It may be empty and yet have a cursor. @throws ApiError `bad_cursor` for one of another filter */
  async page(filter: DeadPageFilter = {}, { signal }: CallOptions = {}): Promise<DeadResponse> {
    return this.#call(queryOf(filter), signal);
  }

  async *#all(query: DeadQuery, signal: AbortSignal | undefined): AsyncGenerator<DeadTask, void, void> {
    let cursor: string | undefined;
    do {
      const page = await this.#call(cursor === undefined ? query : { ...query, cursor }, signal);
      yield* page.tasks;
      if (page.cursor !== undefined && page.cursor === cursor) {
        throw new SchemaMismatchError(
          'a page of the list has the cursor that it was asked for with; it would never end',
          JSON.stringify(page),
        );
      }
      cursor = page.cursor;
    } while (cursor !== undefined);
  }

  async #call({ label = [], ...rest }: DeadQuery, signal: AbortSignal | undefined): Promise<DeadResponse> {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(rest)) if (value !== undefined) query.set(name, String(value));
    for (const text of label) query.append('label', text);
    const path = ROUTES.listDead.path + (query.size > 0 ? `?${query.toString()}` : '');
    return (await this.#transport.call({ method: 'GET', path, schema: deadResponseSchema, signal })).data;
  }
}

function queryOf({ labels = {}, from, to, pageSize, ...rest }: DeadPageFilter): DeadQuery {
  const label = Object.entries(labels).map(([key, value]) => {
    // The API splits at the first colon.
    if (key.includes(':')) throw new TypeError(`labels: the key ${JSON.stringify(key)} has a colon; it cannot be asked for`);
    return `${key}:${value}`;
  });
  const parsed = listDeadQuerySchema.safeParse({
    ...rest,
    ...(label.length > 0 && { label }),
    from: textOf('from', from),
    to: textOf('to', to),
    limit: pageSize,
  });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new TypeError(`${issue?.path[0] === 'limit' ? 'pageSize' : String(issue?.path[0] ?? 'filter')}: ${issue?.message}`);
}

/** A time as the API takes it. @throws TypeError for an invalid date */
export function textOf(name: string, value: Date | string | undefined): string | undefined {
  if (!(value instanceof Date)) return value;
  if (Number.isNaN(value.getTime())) throw new TypeError(`${name} is an invalid date`);
  return value.toISOString();
}
