import type { Scope } from '@sluice/contracts';
import { createMemoryTokenStore } from '../../adapters/memory/index.ts';
import { systemTokens } from '../../adapters/system.ts';
import { createHandler } from '../../functions/api/handler.ts';
import { answerOf, request, type Answer, type RequestOptions } from '../unit/http/requests.ts';
import { createWorld, type WorldConfig } from './world.ts';

/** The API of a platform in memory, and what calls it. */
export function createApi(config: WorldConfig = {}) {
  const world = createWorld(config);
  const tokens = createMemoryTokenStore();
  const handler = createHandler({ ...world.deps, ...systemTokens, list: undefined, tokens, version: '1' });
  /** By a tenant's credentials; `platform` alone if nothing is said. */
  const call = async (route: string, options: RequestOptions = {}): Promise<Answer> =>
    answerOf(await handler(request(route, { scopes: ['platform'], ...options })));
  /** Makes a tenant known, as its first token does. */
  const know = (tenant: string, scopes: readonly Scope[] = ['submit']): Promise<void> =>
    tokens.note({ v: 1, hash: `hash-${tenant}`, tenant, scopes: [...scopes], createdAt: world.clock.now() });
  return { world, call, know };
}
