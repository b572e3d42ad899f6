import * as z from 'zod';
import { LIMITS } from './limits.ts';

const boundSchema = z.number().int().min(10).max(LIMITS.starvationSeconds);

/**
 * The longest that a task of a class waits however much comes above it, seconds, as long as its class asks for no more of its
 * lane than its share. `high` has none: it is served first.
 */
export const starvationSchema = z.object({
  normalSeconds: boundSchema.default(300),
  lowSeconds: boundSchema.default(1_800),
});
export type StarvationBounds = z.infer<typeof starvationSchema>;
