import * as z from 'zod';
import { LIMITS } from './limits.ts';

/** What a rule may take a failure for. */
export const RULE_CLASSES = ['retryable', 'fatal', 'throttled'] as const;

/** Text in which `*` stands for any characters, none included. It must match the whole of what it is compared with. */
const patternSchema = z
  .string()
  .min(1, 'a pattern has at least one character; leave it out to match anything')
  .max(LIMITS.retryPatternLength);

/** One HTTP status, or a hundred of them: `503`, `'5xx'`. */
export const statusPatternSchema = z.union(
  [
    z.number().int({ error: noStatus }).min(100, { error: noStatus }).max(599, { error: noStatus }),
    z.templateLiteral([z.enum(['1', '2', '3', '4', '5']), 'xx']),
  ],
  { error: noStatus },
);

function noStatus({ input }: { readonly input?: unknown }): string {
  return `it is ${told(input)} and must be a status from 100 to 599, or a class of them such as "5xx"`;
}

/** Shortly, whatever it is: an object may be too deep to be written out. */
function told(input: unknown): string {
  if (typeof input === 'string') return JSON.stringify(input.slice(0, 40));
  if (typeof input === 'object' && input !== null) return Array.isArray(input) ? 'a list' : 'an object';
  return String(input);
}

/**
 * Takes a failure for another class than it would have: everything that the rule names must fit. `*` is the only
 * wildcard of a pattern, and case counts.
 */
export const retryRuleSchema = z
  .strictObject({
    /** Of the error's name, with or without the modules and packages in front of it. */
    error: patternSchema.optional(),
    /** Of the error's message. */
    message: patternSchema.optional(),
    /** The HTTP status that the failure came with, where it is known. */
    status: statusPatternSchema.optional(),
    as: z.enum(RULE_CLASSES),
    /** Seconds before which it is not tried again, as a `Retry-After` would say it; the later of the two counts. */
    afterSeconds: z.number().min(0).max(LIMITS.retryAfterSeconds).optional(),
  })
  .refine(
    (rule) => rule.error !== undefined || rule.message !== undefined || rule.status !== undefined,
    'a rule names an error, a message or a status; for every failure give error: "*"',
  )
  .refine(
    (rule) => rule.as !== 'fatal' || rule.afterSeconds === undefined,
    'afterSeconds has no meaning for what is fatal: leave it out, or choose retryable or throttled',
  );
export type RetryRule = z.infer<typeof retryRuleSchema>;

/** The first rule that fits counts; where none does, the platform's own table. */
export const retryRulesSchema = z.array(retryRuleSchema).max(LIMITS.retryRules, {
  error: ({ input }) =>
    `there are ${(input as unknown[]).length} rules and at most ${LIMITS.retryRules} are allowed: put patterns together with *, or lower their number`,
});

/** Of a task: kept in its row, which is written at every step. */
export const taskRulesSchema = retryRulesSchema.refine((rules) => jsonLength(rules) <= LIMITS.retryRulesBytes, {
  error: ({ input }) =>
    `the rules have ${jsonLength(input)} bytes as JSON and at most ${LIMITS.retryRulesBytes} are allowed for one task: shorten them, or give them to the task type`,
});

function jsonLength(value: unknown): number {
  return new TextEncoder().encode(JSON.stringify(value)).length;
}
