import { type Envelope, type KitReply, type SystemType, SYSTEM_TYPES } from '@sluice/contracts';
import type { Clock } from '../ports/clock.ts';

/** What a system task's handler knows of its attempt. */
export interface SystemAttempt {
  readonly tenant: string;
  readonly id: string;
  readonly uid: string;
  readonly fence: number;
  /** Handler runs so far, this one counted. */
  readonly attempt: number;
  /** Attempts so far that were throttled, and so not counted. */
  readonly throttled: number;
  /** ms: when its time is over. */
  readonly deadline: number;
}

/** Does a system task's work; what it returns is the result. @throws {@link SystemTaskError}; anything else is retryable */
export type SystemHandler = (payload: unknown, attempt: SystemAttempt) => Promise<unknown>;
export type SystemHandlers = Readonly<Partial<Record<SystemType, SystemHandler>>>;

/** A failure of a system task that says what follows from it. */
export class SystemTaskError extends Error {
  override readonly name = 'SystemTaskError';
  readonly as: 'retryable' | 'fatal' | 'throttled';
  /** ms after which to try again; only the policy's own delay without it. */
  readonly retryAfterMs: number | undefined;

  constructor(as: 'retryable' | 'fatal' | 'throttled', message: string, options: { retryAfterMs?: number; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.as = as;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** Runs a system task's attempt and answers as the handler kit does. */
export async function runSystemTask(handlers: SystemHandlers, clock: Clock, { payload, sluice }: Envelope): Promise<KitReply> {
  const startedAt = clock.now();
  const { tenant, task: id, uid, fence, attempt, throttled = 0, deadline } = sluice;
  const replyOf = (said: Omit<KitReply['sluice'], 'version' | 'startedAt' | 'endedAt'>): KitReply['sluice'] => ({
    version: 1,
    startedAt,
    endedAt: clock.now(),
    ...said,
  });
  const handler = isSystemType(sluice.type) ? handlers[sluice.type] : undefined;
  try {
    if (!handler) throw new SystemTaskError('fatal', `the platform has no handler for ${sluice.type}`);
    const result = await handler(payload, { tenant, id, uid, fence, attempt, throttled, deadline });
    return { sluice: replyOf({ class: 'succeeded' }), result };
  } catch (thrown) {
    const { name, message, stack } = thrown instanceof Error ? thrown : new Error(String(thrown));
    const error = { name, message, ...(stack !== undefined && { stack }) };
    const known = thrown instanceof SystemTaskError ? thrown : undefined;
    const { retryAfterMs } = known ?? {};
    return { sluice: replyOf({ class: known?.as ?? 'retryable', error, ...(retryAfterMs !== undefined && { retryAfterMs }) }) };
  }
}

function isSystemType(type: string): type is SystemType {
  return (Object.values(SYSTEM_TYPES) as string[]).includes(type);
}
