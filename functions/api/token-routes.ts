import { rotateRequestSchema, tokenRequestSchema, type RouteName } from '@sluice/contracts';
import type { Route } from '../../adapters/http/create-http-handler.ts';
import { json, noContent } from '../../adapters/http/respond.ts';
import { createToken, listTokens, revokeToken, rotateToken, type ManageDeps } from '../../core/auth/manage-tokens.ts';
import { parsedBody } from './query.ts';

/**
 * The routes of API tokens, always those of the caller's own tenant. A token that is revoked, or whose grace time is
 * over, is still taken for as long as the gateway remembers it: the prop `tokenCacheTtl`, 60 s by default.
 */
export function tokenRoutes(deps: ManageDeps): Record<Extract<RouteName, `${string}Token` | 'listTokens'>, Route> {
  return {
    listTokens: async ({ tenant }) => json(200, { tokens: await listTokens(deps, tenant) }),
    createToken: async ({ tenant, body }) => json(201, await createToken(deps, tenant, parsedBody(tokenRequestSchema, body()))),
    revokeToken: async ({ tenant, param }) => {
      await revokeToken(deps, tenant, param('id'));
      return noContent();
    },
    rotateToken: async ({ tenant, param, body }) =>
      json(201, await rotateToken(deps, tenant, param('id'), parsedBody(rotateRequestSchema, body({})))),
  };
}
