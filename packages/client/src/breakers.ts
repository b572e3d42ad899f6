import { breakerKeySchema, breakerListSchema, breakerViewSchema, ROUTES } from '@sluice/contracts';
import type { BreakerState, BreakerView } from '@sluice/contracts';
import { pathWith } from './paging.ts';
import { pathOf } from './path.ts';
import type { Transport } from './transport.ts';
import type { CallOptions } from './types.ts';

export interface BreakerListOptions extends CallOptions {
  /** @default every state */
  readonly state?: BreakerState | undefined;
}

/** The breakers of task types and resources, which hold all tasks that pass them while every attempt crashes. Needs the scope `platform`. */
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
   * The breaker of a task type or, as `resource:stripe-api`, of a resource; one that never saw a crash is closed.
   * @throws ApiError `not_found` for what is not deployed
   */
  async get(of: string, { signal }: CallOptions = {}): Promise<BreakerView> {
    const name = of.includes(':') ? of : `type:${of}`;
    const { method, path } = ROUTES.getBreaker;
    const call = { method, path: pathOf(path, name, breakerKeySchema, 'breaker'), schema: breakerViewSchema, signal };
    return (await this.#transport.call(call)).data;
  }
}
