import type { Context } from 'aws-lambda';
import * as z from 'zod';
import { audit, type AuditDeps, type AuditReport } from '../../core/audit/audit.ts';

/** Time left for the answer, ms. */
const MARGIN_MS = 15_000;

/** What an invocation on demand may ask for; the daily schedule asks for nothing. */
const requestSchema = z.object({
  /** Minutes that what a task waits for must be past. @default a day */
  olderThanMinutes: z.number().nonnegative().optional(),
  segments: z.number().int().min(1).max(64).optional(),
  paceMs: z.number().nonnegative().optional(),
});

/** The audit, daily or on demand. */
export function createHandler(deps: AuditDeps) {
  return async (event: unknown, context: Context): Promise<AuditReport> => {
    const { olderThanMinutes, segments, paceMs } = requestSchema.parse(event ?? {});
    return audit(deps, {
      deadline: deps.clock.now() + context.getRemainingTimeInMillis() - MARGIN_MS,
      ...(olderThanMinutes !== undefined && { olderThanMs: olderThanMinutes * 60_000 }),
      ...(segments !== undefined && { segments }),
      ...(paceMs !== undefined && { paceMs }),
    });
  };
}
