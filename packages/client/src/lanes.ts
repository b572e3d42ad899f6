import { laneListQuerySchema, laneListSchema, laneViewSchema, ROUTES, taskTypeNameSchema, tenantSchema } from '@sluice/contracts';
import type { LaneList, LaneListQuery, LaneSummary, LaneView } from '@sluice/contracts';
import { everyItem, pathWith } from './paging.ts';
import { pathOf } from './path.ts';
import type { Transport } from './transport.ts';
import type { CallOptions } from './types.ts';

/** Which lanes. */
export interface LaneFilter {
  /** Another tenant, or `*` for all that are known; needs the scope `platform`. @default the client's tenant */
  readonly tenant?: string | undefined;
  readonly type?: string | undefined;
  /** Those alone that have a backlog: quick, however many lanes there are. @default false */
  readonly waiting?: boolean | undefined;
  /** Lanes of one page, 1 to 100: how many one call fetches at most. @default 50 */
  readonly pageSize?: number | undefined;
}

/** Which page of the lanes. */
export interface LanePageFilter extends LaneFilter {
  /** The `cursor` of the page before, with the same filter. @default the first page */
  readonly cursor?: string | undefined;
}

export interface LaneOptions extends CallOptions {
  /** Another tenant; needs the scope `platform`. @default the client's tenant */
  readonly tenant?: string | undefined;
}

/** Lanes: how many attempts they may have in flight, what waits, and why. Needs the scope `read`, or `platform`. */
export class Lanes {
  readonly #transport: Transport;

  /** @internal */
  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /**
   * The lane of a task type, in use or not.
   *
   * @example
   * const { limit, inFlight, why } = await sluice.lanes.get('thumbnail');
   * console.log(`${inFlight} of ${limit}: ${why.message}`);
   *
   * @throws ApiError `not_found` for a type that is not deployed
   */
  async get(type: string, { tenant, signal }: LaneOptions = {}): Promise<LaneView> {
    if (tenant !== undefined && !tenantSchema.safeParse(tenant).success) throw new TypeError(`${JSON.stringify(tenant)} is no tenant`);
    const { method, path } = ROUTES.getLane;
    const route = pathWith(pathOf(path, type, taskTypeNameSchema, 'task type'), { tenant });
    return (await this.#transport.call({ method, path: route, schema: laneViewSchema, signal })).data;
  }

  /**
   * The lanes that are in use, by tenant and type. A page is fetched when the loop comes to it.
   *
   * @example
   * for await (const lane of sluice.lanes.list({ waiting: true })) console.log(lane.type, lane.waiting.tasks, lane.why.code);
   *
   * @throws TypeError at once, for a filter that is wrong
   */
  list(filter: LaneFilter = {}, { signal }: CallOptions = {}): AsyncGenerator<LaneSummary, void, void> {
    const query = queryOf(filter);
    return everyItem(
      (cursor) => this.#page(cursor === undefined ? query : { ...query, cursor }, signal),
      ({ lanes }) => lanes,
    );
  }

  /** One page of {@link list}. It may be empty and yet have a cursor. @throws ApiError `bad_cursor` for one of another filter */
  async page(filter: LanePageFilter = {}, { signal }: CallOptions = {}): Promise<LaneList> {
    return this.#page(queryOf(filter), signal);
  }

  async #page(query: LaneListQuery, signal: AbortSignal | undefined): Promise<LaneList> {
    const { method, path } = ROUTES.listLanes;
    return (await this.#transport.call({ method, path: pathWith(path, query), schema: laneListSchema, signal })).data;
  }
}

function queryOf({ waiting, pageSize, ...rest }: LanePageFilter): LaneListQuery {
  const parsed = laneListQuerySchema.safeParse({ ...rest, ...(waiting === true && { waiting: 'true' }), limit: pageSize });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new TypeError(`${issue?.path[0] === 'limit' ? 'pageSize' : String(issue?.path[0] ?? 'filter')}: ${issue?.message}`);
}
