import * as z from 'zod';
import { instantSchema, tenantSchema } from './names.ts';

const amount = z.number().nonnegative();

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
  /** Tenant, tasks, refused: unbiased estimates. */
  flows: z.array(z.tuple([tenantSchema, amount, amount])).max(1_000),
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
