import * as z from 'zod';
import { adaptiveSchema, ratesSchema } from './lane-limits.ts';
import { LIMITS } from './limits.ts';
import { startSchema, taskTypeNameSchema } from './names.ts';
import { typeNotifySchema } from './notify.ts';
import { resourceNameSchema } from './resource.ts';
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
  /** Attempts in flight at once of all lanes together. @default only what each lane may */
  capacity: z.number().int().min(1).max(LIMITS.capacity).optional(),
  /** The resources that its attempts draw on, by their names. */
  resources: z
    .array(resourceNameSchema)
    .min(1, 'at least one resource; leave it out where there is none')
    .max(LIMITS.resourcesOfType, {
      error: ({ input }) =>
        `there are ${(input as unknown[]).length} resources and at most ${LIMITS.resourcesOfType} are allowed: put together those that stand for the same thing`,
    })
    .refine((names) => new Set(names).size === names.length, 'a resource is named twice: name each once')
    .optional(),
  /** How a lane finds the capacity behind it; `false`: it always has the whole concurrency. @default by the platform's parameters */
  adaptive: adaptiveSchema.optional(),
  /** Starts of each lane in windows of time, all of which hold at once. */
  rates: ratesSchema.optional(),
  retry: retryPolicySchema,
  /** What retries a lane may start in a minute: the greater of the two. */
  retryBudget: z
    .object({
      /** Of the first attempts that the lane starts. */
      percent: z.number().min(0).max(1_000).default(20),
      /** However few first attempts there are; at least one for each forty permits of the lane. */
      perMinute: z.number().int().min(1).max(100_000).default(60),
    })
    .optional(),
  /** Seconds that a succeeded task keeps its id. */
  dedupWindowSeconds: z
    .number()
    .int()
    .min(60)
    .max(365 * 86_400)
    .default(14 * 86_400),
  notify: typeNotifySchema.optional(),
});
export type TaskTypeSpec = z.infer<typeof taskTypeSpecSchema>;
