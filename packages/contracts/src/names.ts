import * as z from 'zod';
import { LIMITS } from './limits.ts';

/** Text that is the same after a way through UTF-8, and that queues take: two code points are no characters to SQS. */
function wholeText() {
  return z
    .string()
    .regex(/^[^\ufffe\uffff]*$/, 'U+FFFE and U+FFFF are no characters; leave them out')
    .refine((text) => text.isWellFormed(), 'half of a surrogate pair (a lone \\ud800 to \\udfff); send whole characters');
}

/** A tenant: the unit of isolation, fairness and cost. Names never contain `#`, the separator of table keys. */
export const tenantSchema = z
  .string()
  .max(LIMITS.tenantLength)
  .regex(/^[a-z0-9][a-z0-9_-]*$/, 'a tenant is lower-case letters, digits, "-" and "_"');

/** A task type: a named kind of task with its handler, retry policy and limits. */
export const taskTypeNameSchema = z
  .string()
  .max(LIMITS.typeLength)
  .regex(/^[a-z0-9][a-z0-9._-]*$/, 'a task type is lower-case letters, digits, ".", "-" and "_"');

/** A task within its tenant. Given by the submitter, or the first uid of the task. */
export const taskIdSchema = z
  .string()
  .min(1)
  .max(LIMITS.idLength, {
    error: ({ input }) =>
      `a task id has at most ${LIMITS.idLength} characters and this one has ${(input as string).length}: shorten or hash it`,
  })
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

/** Words of the submitter's own, to find tasks by. */
export const labelsSchema = z
  .record(wholeText().min(1).max(LIMITS.labelKeyLength), wholeText().max(LIMITS.labelValueLength))
  .refine((labels) => Object.keys(labels).length <= LIMITS.labels, {
    error: ({ input }) =>
      `there are ${Object.keys(input as object).length} labels and at most ${LIMITS.labels} labels are allowed: put the rest into the payload`,
  });

/** Names an API token without being it: the first 16 digits of its hash. */
export const tokenIdSchema = z.string().regex(/^tok_[0-9a-f]{16}$/, 'a token id is tok_ and 16 hexadecimal digits');
export const tokenNameSchema = wholeText().min(1).max(LIMITS.tokenNameLength);

export const SCOPES = ['submit', 'read', 'operate', 'admin', 'platform'] as const;
/**
 * What credentials may do: `submit` tasks, `read` them, `operate` (cancel, retry); `admin` is all of it, and tokens. They are
 * about their own tenant. `platform` alone is about all of them: quotas, lanes, shards; no other scope includes it, and only
 * whoever may write to the table can give it.
 */
export const scopeSchema = z.enum(SCOPES);
export type Scope = z.infer<typeof scopeSchema>;
/** A scope that a tenant may give its own tokens. */
export const tenantScopeSchema = scopeSchema.exclude(['platform']);

/** How an attempt is started; `auto` chooses between the other two. */
export const STARTS = ['event', 'wait', 'auto'] as const;
export const startSchema = z.enum(STARTS);
export type Start = z.infer<typeof startSchema>;
/** What `start` resolves to for one attempt. */
export type StartMode = Exclude<Start, 'auto'>;

/** Milliseconds since the epoch. */
export const instantSchema = z.number().int().nonnegative();
