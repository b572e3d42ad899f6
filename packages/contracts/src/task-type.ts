import * as z from 'zod';
import { LIMITS } from './limits.ts';
import { startSchema, taskTypeNameSchema } from './names.ts';
import { retryPolicySchema } from './retry-policy.ts';

/** A task type as the platform knows it: written to the table by the `TaskType` construct's custom resource at deploy time. */
export const taskTypeSpecSchema = z.object({
  v: z.literal(1),
  type: taskTypeNameSchema,
  handler: z.discriminatedUnion('kind', [
    /** The ARN of the alias that Sluice owns on the handler function. */
    z.object({
      kind: z.literal('lambda'),
      arn: z.string().min(1),
      /** The log group of the function, where it is not Lambda's own `/aws/lambda/<name>`. */
      logGroup: z.string().min(1).optional(),
    }),
  ]),
  start: startSchema,
  /** Seconds; the handler function's own timeout. */
  timeoutSeconds: z.number().int().min(1).max(LIMITS.timeoutSeconds),
  /** Attempts in flight at once in each lane (tenant × type). */
  concurrency: z.number().int().min(1).max(LIMITS.concurrency),
  retry: retryPolicySchema,
  /** Seconds that a succeeded task keeps its id. */
  dedupWindowSeconds: z
    .number()
    .int()
    .min(60)
    .max(365 * 86_400)
    .default(14 * 86_400),
});
export type TaskTypeSpec = z.infer<typeof taskTypeSpecSchema>;
