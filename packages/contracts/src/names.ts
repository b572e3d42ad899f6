import * as z from 'zod';
import { LIMITS } from './limits.ts';

/** A tenant: the unit of isolation, fairness and cost. Names never contain `#`, the separator of table keys. */
export const tenantSchema = z
  .string()
  .max(LIMITS.tenantLength)
  .regex(/^[a-z0-9][a-z0-9_-]*$/, 'a tenant is lower-case letters, digits, "-" and "_"');

export const taskTypeNameSchema = z
  .string()
  .max(LIMITS.typeLength)
  .regex(/^[a-z0-9][a-z0-9._-]*$/, 'a task type is lower-case letters, digits, ".", "-" and "_"');

export const taskIdSchema = z
  .string()
  .min(1)
  .max(LIMITS.idLength, `a task id has at most ${LIMITS.idLength} characters`)
  .regex(/^[A-Za-z0-9][A-Za-z0-9._:@=+~-]*$/, 'a task id is letters, digits and . _ : @ = + ~ - and begins with a letter or digit');

/** A generation of a task id: a ULID whose 80 random bits come from a cryptographic source. */
export const uidSchema = z
  .string()
  .length(26)
  .regex(/^[0-9A-HJKMNP-TV-Z]{26}$/, 'a uid is a ULID');

/** Classes of priority, the first served first. */
export const PRIORITIES = ['high', 'normal', 'low'] as const;
export const prioritySchema = z.enum(PRIORITIES);
export type Priority = z.infer<typeof prioritySchema>;

export const labelsSchema = z
  .record(z.string().min(1).max(LIMITS.labelKeyLength), z.string().max(LIMITS.labelValueLength))
  .refine((labels) => Object.keys(labels).length <= LIMITS.labels, `at most ${LIMITS.labels} labels`);

export const SCOPES = ['submit', 'read', 'operate', 'admin'] as const;
export const scopeSchema = z.enum(SCOPES);
export type Scope = z.infer<typeof scopeSchema>;

/** How an attempt is started; `auto` chooses between the other two. */
export const STARTS = ['event', 'wait', 'auto'] as const;
export const startSchema = z.enum(STARTS);
export type Start = z.infer<typeof startSchema>;
/** What `start` resolves to for one attempt. */
export type StartMode = Exclude<Start, 'auto'>;

/** Milliseconds since the epoch. */
export const instantSchema = z.number().int().nonnegative();
