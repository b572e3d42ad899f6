import * as z from 'zod';
import { LIMITS } from './limits.ts';
import { instantSchema, tenantSchema } from './names.ts';
import { wholeNumber } from './whole-number.ts';

const attempts = z.number().int().min(1).max(LIMITS.quotaAttempts);

const fields = {
  /**
   * Attempts at once, over all types, that it gets of the capacities that it draws on as long as it needs them, before
   * anybody gets more by weight. What it does not need is lent to the others. @default 0
   */
  guaranteed: attempts.optional(),
  /** How much of what is left over it gets beside the others. @default 1 */
  weight: z.number().min(0.01).max(LIMITS.quotaWeight).optional(),
  /** Attempts at once over all types, at most. @default only what its lanes may */
  cap: attempts.optional(),
  /** Submissions a second, at most. @default only what the platform can take */
  rate: z.number().min(0.01).max(LIMITS.quotaRate).optional(),
  /** Submissions that may come at once beyond the rate. @default what the rate gives in 5 seconds, at least 10 */
  burst: z.number().int().min(1).max(LIMITS.quotaBurst).optional(),
  /** Tasks that may wait in its backlogs, over all types, at most. @default as many as there are */
  backlog: z.number().int().min(1).max(LIMITS.quotaBacklog).optional(),
  /** Seconds that its oldest task may have been due, at most. @default as long as it takes */
  maxAgeSeconds: z
    .number()
    .int()
    .min(10)
    .max(14 * 86_400)
    .optional(),
  /** Whether its work is moved away from queues that another tenant has filled. @default false */
  latencySensitive: z.boolean().optional(),
};

const MORE_THAN_CAP = 'guaranteed is more than the cap; it may be as much at most';
function guaranteedFits({ guaranteed = 0, cap }: { guaranteed?: number | undefined; cap?: number | undefined }): boolean {
  return cap === undefined || guaranteed <= cap;
}

/** What a tenant may have. What is left out is as for a tenant without a quota. */
export const quotaSchema = z.strictObject(fields).refine(guaranteedFits, { error: MORE_THAN_CAP, path: ['guaranteed'] });
export type Quota = z.infer<typeof quotaSchema>;

/** A tenant's quota, as it is stored. */
export const quotaRecordSchema = z.object({
  v: z.literal(1),
  tenant: tenantSchema,
  quota: z.object(fields),
  updatedAt: instantSchema,
});
export type QuotaRecord = z.infer<typeof quotaRecordSchema>;

/** A tenant's quota, as an operator sees it. */
export const quotaViewSchema = z.object({ tenant: tenantSchema, quota: z.object(fields), updatedAt: z.iso.datetime({ offset: true }) });
export type QuotaView = z.infer<typeof quotaViewSchema>;

const cursorSchema = z.string().min(1).max(400);

export const quotaListQuerySchema = z.strictObject({
  limit: wholeNumber(LIMITS.quotaPage).optional(),
  cursor: cursorSchema.optional(),
});
export type QuotaListQuery = z.infer<typeof quotaListQuerySchema>;
/** By tenant. `cursor` is there while there are more. */
export const quotaListSchema = z.object({ quotas: z.array(quotaViewSchema), cursor: cursorSchema.optional() });
export type QuotaList = z.infer<typeof quotaListSchema>;
