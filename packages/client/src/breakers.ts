import { breakerKey, breakerListSchema, breakerViewSchema, ROUTES, taskTypeNameSchema } from '@sluice/contracts';
import type { BreakerState, BreakerView } from '@sluice/contracts';
import { pathWith } from './paging.ts';
import type { Transport } from './transport.ts';
import type { CallOptions } from './types.ts';

export interface BreakerListOptions extends CallOptions {
  /** @default every state */
  readonly state?: BreakerState | undefined;
}

/** The breakers of task types, which hold all of their tasks while every attempt crashes. Needs the scope `platform`. */
export class Breakers {
  readonly #transport: Transport;

  /** @internal */
  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Those that have seen a crash within a day or are not closed; those that are not closed first. */
  async list({ state, signal }: BreakerListOptions = {}): Promise<readonly BreakerView[]> {
    const { method, path } = ROUTES.listBreakers;
    const call = { method, path: pathWith(path, { state }), schema: breakerListSchema, signal };
    return (await this.#transport.call(call)).data.breakers;
  }

  /**
   * The breaker of a task type; one that never saw a crash is closed.
   * @throws ApiError `not_found` for a type that is not deployed
   */
  async get(type: string, { signal }: CallOptions = {}): Promise<BreakerView> {
    const parsed = taskTypeNameSchema.safeParse(type);
    if (!parsed.success) throw new TypeError(`${JSON.stringify(type)} is no task type: ${parsed.error.issues[0]?.message}`);
    const { method, path } = ROUTES.getBreaker;
    const route = path.replace('{breaker}', encodeURIComponent(breakerKey(type)));
    return (await this.#transport.call({ method, path: route, schema: breakerViewSchema, signal })).data;
  }
}
