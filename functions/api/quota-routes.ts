import { quotaListQuerySchema, quotaSchema, type RouteName } from '@sluice/contracts';
import type { Route } from '../../adapters/http/create-http-handler.ts';
import { json, noContent } from '../../adapters/http/respond.ts';
import { deleteQuota, getQuota, listQuotas, putQuota, type QuotaDeps } from '../../core/quotas/manage.ts';
import { parsedBody, parsedQuery } from './query.ts';

/** The routes of quotas: for operators, of any tenant. */
export function quotaRoutes(deps: QuotaDeps): Record<Extract<RouteName, `${string}Quota` | 'listQuotas'>, Route> {
  return {
    listQuotas: async ({ query }) => json(200, await listQuotas(deps, parsedQuery(quotaListQuerySchema, query))),
    getQuota: async ({ param }) => json(200, await getQuota(deps, param('tenant'))),
    putQuota: async ({ param, body }) => json(200, await putQuota(deps, param('tenant'), parsedBody(quotaSchema, body()))),
    deleteQuota: async ({ param }) => {
      await deleteQuota(deps, param('tenant'));
      return noContent();
    },
  };
}
