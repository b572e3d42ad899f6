import * as z from 'zod';
import { instantSchema, STARTS, taskTypeNameSchema } from './names.ts';

/** How an attempt is started, once `auto` has been resolved. */
export const startModeSchema = z.enum(STARTS).exclude(['auto']);

/**
 * How attempts of a type with `start: 'auto'` are started for now, as it is stored. Each write replaces the one before and
 * is conditional on it; what is measured is counted under `since`, and so anew after each.
 */
export const startChoiceSchema = z.object({
  v: z.literal(1),
  type: taskTypeNameSchema,
  mode: startModeSchema,
  /** When it was decided or confirmed, ms: later each time. */
  since: instantSchema,
});
export type StartChoice = z.infer<typeof startChoiceSchema>;

/** Runs that were measured under one choice. */
export const runCountsSchema = z.object({
  runs: z.number().int().nonnegative(),
  /** Of these, runs that took longer than half a second. */
  slow: z.number().int().nonnegative(),
  /** Of these, runs that took longer than a second. */
  long: z.number().int().nonnegative(),
});
export type RunCounts = z.infer<typeof runCountsSchema>;
