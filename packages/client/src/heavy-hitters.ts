import { heavyHittersSchema, LIMITS, ROUTES } from '@sluice/contracts';
import type { HeavyHitters } from '@sluice/contracts';
import type { Transport } from './transport.ts';
import type { CallOptions } from './types.ts';

export interface HeavyHittersOptions extends CallOptions {
  /** Tenants, at most 200. @default 20 */
  readonly limit?: number;
}

/** @internal */
export async function getHeavyHitters(transport: Transport, { limit, signal }: HeavyHittersOptions): Promise<HeavyHitters> {
  if (limit !== undefined && (!Number.isInteger(limit) || limit < 1 || limit > LIMITS.heavyHitters)) {
    throw new TypeError(`limit is ${limit}; give a whole number from 1 to ${LIMITS.heavyHitters}`);
  }
  const { method, path } = ROUTES.heavyHitters;
  const query = limit === undefined ? '' : `?limit=${limit}`;
  return (await transport.call({ method, path: path + query, schema: heavyHittersSchema, signal })).data;
}
