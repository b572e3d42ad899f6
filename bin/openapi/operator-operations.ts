import {
  LIMITS,
  quotaListQuerySchema,
  quotaListSchema,
  quotaSchema,
  quotaViewSchema,
  tenantSchema,
  type Quota,
  type QuotaView,
  type RouteName,
} from '@sluice/contracts';
import * as z from 'zod';
import type { Operation } from './operation.ts';

const tenantPath = z.object({ tenant: tenantSchema.meta({ description: 'The tenant that it is about, whoever calls.' }) });
const quota: Quota = { guaranteed: 10, weight: 2, cap: 100, rate: 50 };
const quotaView: QuotaView = { tenant: 'acme', quota, updatedAt: '2029-12-24T18:00:00.000Z' };

/** What operators ask of the whole platform. */
export const OPERATOR_OPERATIONS = {
  listQuotas: {
    tag: 'Operators',
    summary: 'List quotas',
    description: `The quotas of all tenants by name, 50 to a page if nothing else is asked for and at most ${LIMITS.quotaPage}.`,
    query: quotaListQuerySchema,
    success: { 200: { description: 'A page.', schema: quotaListSchema, example: { quotas: [quotaView] } } },
    codes: ['bad_request', 'bad_cursor'],
  },
  getQuota: {
    tag: 'Operators',
    summary: "Get a tenant's quota",
    description: 'What a tenant may have, where it differs from what every tenant may.',
    path: tenantPath,
    success: { 200: { description: 'The quota.', schema: quotaViewSchema, example: quotaView } },
    codes: ['bad_request', 'not_found'],
  },
  putQuota: {
    tag: 'Operators',
    summary: "Set a tenant's quota",
    description:
      'Replaces the whole quota, with effect within 10 s. What is left out is as for a tenant without a quota. Attempts in flight beyond a lowered cap go on; no more begin until there is room.',
    path: tenantPath,
    body: { schema: quotaSchema, example: quota },
    success: { 200: { description: 'The quota as it is now.', schema: quotaViewSchema, example: quotaView } },
    codes: ['bad_request'],
  },
  deleteQuota: {
    tag: 'Operators',
    summary: "Remove a tenant's quota",
    description: 'The tenant may then have what every tenant may. Also answered with success where there was none.',
    path: tenantPath,
    success: { 204: { description: 'It has none.' } },
    codes: ['bad_request'],
  },
} as const satisfies Partial<Record<RouteName, Operation>>;
