import * as contracts from '@sluice/contracts';
import type { z } from 'zod';

/** Not there. Written so that makers of clients can read it, some of which know no schema that is just `false`. */
const ABSENT = { not: {} };
const without = (...names: string[]) => ({ properties: Object.fromEntries(names.map((name) => [name, ABSENT])) });
const both = (...names: string[]) => ({ required: names });
const eitherOf = (one: string, other: string) => ({ anyOf: [both(one, other), without(one, other)] });

/**
 * What a value must not be, where fields ask something of each other that zod's types don't tell: the schemas' own
 * refinements. As `not`, since makers of clients pass over it where they would make a type of each `anyOf`.
 */
export const FORBIDDEN: ReadonlyMap<z.core.$ZodType, object> = new Map<z.core.$ZodType, object>([
  [contracts.submissionSchema, both('delaySeconds', 'runAt')],
  [
    contracts.retryRuleSchema,
    { anyOf: [without('error', 'message', 'status'), { properties: { as: { const: 'fatal' } }, required: ['afterSeconds'] }] },
  ],
  [contracts.misfireSchema, { properties: { policy: { enum: ['skip', 'once'] } }, required: ['max'] }],
  [contracts.scheduleRequestSchema, eitherOf('cron', 'everySeconds')],
  [contracts.previewRequestSchema, eitherOf('cron', 'everySeconds')],
  [contracts.redriveRequestSchema, eitherOf('filter', 'ids')],
  [contracts.retryRequestSchema, { minProperties: 1, ...without('payload') }],
]);
