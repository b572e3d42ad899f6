import { deadResponseSchema, listDeadQuerySchema, ROUTES } from '@sluice/contracts';
import type { DeadQuery, DeadReason, DeadResponse, DeadTask } from '@sluice/contracts';
import { everyItem, labelsOf, pathWith, timeOf } from './paging.ts';
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
    const query = queryOf(filter);
    return everyItem(
      (cursor) => this.#call(cursor === undefined ? query : { ...query, cursor }, signal),
      ({ tasks }) => tasks,
    );
  }

  /** One page of {@link list}. It may be empty and yet have a cursor. @throws ApiError `bad_cursor` for one of another filter */
  async page(filter: DeadPageFilter = {}, { signal }: CallOptions = {}): Promise<DeadResponse> {
    return this.#call(queryOf(filter), signal);
  }

  async #call(query: DeadQuery, signal: AbortSignal | undefined): Promise<DeadResponse> {
    const path = pathWith(ROUTES.listDead.path, query);
    return (await this.#transport.call({ method: 'GET', path, schema: deadResponseSchema, signal })).data;
  }
}

function queryOf({ labels = {}, from, to, pageSize, ...rest }: DeadPageFilter): DeadQuery {
  const label = labelsOf(labels);
  const parsed = listDeadQuerySchema.safeParse({
    ...rest,
    ...(label.length > 0 && { label }),
    from: timeOf('from', from),
    to: timeOf('to', to),
    limit: pageSize,
  });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new TypeError(`${issue?.path[0] === 'limit' ? 'pageSize' : String(issue?.path[0] ?? 'filter')}: ${issue?.message}`);
}
