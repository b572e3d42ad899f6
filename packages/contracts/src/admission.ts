import * as z from 'zod';
import { instantSchema, taskTypeNameSchema, tenantSchema } from './names.ts';

const amount = z.number().nonnegative();

/** What a tenant may submit; a bound that is absent does not bound. */
export const admissionBoundsSchema = z.strictObject({
  /** Tasks a second. */
  rate: z.number().positive().optional(),
  /** Tasks that may come at once beyond the rate. @default what the rate gives in 5 seconds, at least 10 */
  burst: z.number().min(1).optional(),
  /** Tasks that may wait for permits, over all types. */
  backlog: z.number().int().min(1).optional(),
  /** Seconds that the oldest of them may have waited. */
  maxAgeSeconds: z.number().min(1).optional(),
});

/** What one environment of submit saw in an interval. It is written every few seconds under load, and read by control. */
export const admissionReportSchema = z.object({
  v: z.literal(1),
  /** The environment. */
  by: z.string().min(1).max(64),
  /** The interval, ms. */
  from: instantSchema,
  to: instantSchema,
  /** Tasks that were submitted, and those of them that were refused; exact. */
  tasks: amount,
  refused: amount,
  /** Messages that the admitted ones were sent in: several tasks of a call share one. */
  messages: amount.optional(),
  /** Tenant, tasks, refused: the largest, as they were seen. */
  flows: z.array(z.tuple([tenantSchema, amount, amount])).max(1_000),
  /** A few of all others, each for many: unbiased in sum, and of one tenant alone by chance. */
  sampled: z
    .array(z.tuple([tenantSchema, amount, amount]))
    .max(1_000)
    .optional(),
  /** Those of them that have a rate. */
  limited: z.array(tenantSchema).max(1_000).optional(),
});
export type AdmissionReport = z.infer<typeof admissionReportSchema>;

/** Why submissions of a tenant are refused. */
export const ADMISSION_CODES = ['rate_limited', 'backlog_full', 'backlog_too_old', 'throttled'] as const;
export const admissionCodeSchema = z.enum(ADMISSION_CODES);
export type AdmissionCode = z.infer<typeof admissionCodeSchema>;

/** One tenant in {@link admissionDocumentSchema}. */
export const admittedTenantSchema = z.object({
  tenant: tenantSchema,
  /** Tasks a second that it submits, over all environments, and how many of them are refused. */
  offered: amount,
  refused: amount,
  /** The rate that it may submit with, where there is one. */
  rate: z.number().positive().optional(),
  burst: z.number().positive().optional(),
  /** What it is refused now: a part of its tasks, and the seconds until there may be room. */
  refuse: z.object({ code: admissionCodeSchema, part: z.number().gt(0).max(1), waitSeconds: amount }).optional(),
});
export type AdmittedTenant = z.infer<typeof admittedTenantSchema>;

/** What control makes of all reports, for submit, routing and operators. */
export const admissionDocumentSchema = z.object({
  v: z.literal(1),
  /** When it was made, ms. */
  at: instantSchema,
  /** Environments that told something. */
  environments: z.number().int().nonnegative(),
  /** Tasks a second of all tenants. */
  offered: amount,
  refused: amount,
  /** Set while the shared system is pressed: tasks a second that are to be admitted. */
  target: amount.optional(),
  /** Heavy hitters, and whoever is refused, the largest first. */
  tenants: z.array(admittedTenantSchema).max(1_000),
});
export type AdmissionDocument = z.infer<typeof admissionDocumentSchema>;

/** What control remembers of its last round: what it measured, so that the next one knows how it goes on. */
export const admissionStateSchema = z.object({
  v: z.literal(1),
  at: instantSchema,
  /** The shared queues: hints that wait, and how many are worked off in a second. */
  depth: z.object({ at: instantSchema, waiting: amount, drained: amount.optional() }).optional(),
  pressed: z.boolean(),
  /** Environments that told something. */
  environments: z.number().int().nonnegative(),
  /** Tenant, type, when, and the attempts that its lane had started by then. */
  lanes: z.array(z.tuple([tenantSchema, taskTypeNameSchema, instantSchema, amount])),
  /** Tenants with bounds of their backlog, as last measured; `oldestAt` in ms, `drained` a second. */
  waiting: z.array(
    z.object({
      tenant: tenantSchema,
      at: instantSchema,
      tasks: amount,
      oldestAt: instantSchema.optional(),
      drained: amount.optional(),
      /** A count that one round is not enough for: so many so far, and where in which of its lanes the next one goes on. */
      counting: z.object({ tasks: amount, type: taskTypeNameSchema, from: z.string().min(1).max(2_000) }).optional(),
    }),
  ),
});
export type AdmissionState = z.infer<typeof admissionStateSchema>;
