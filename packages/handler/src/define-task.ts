import { envelopeSchema, type Envelope, type KitReply } from '@sluice/contracts';
import * as z from 'zod';
import { startDeadlineClock, type InvocationContext, type TaskContext } from './context.ts';
import { CHECK_SECONDS, watchAttempt } from './control.ts';
import { EnvelopeError, FatalError, RetryableError, ThrottledError } from './errors.ts';
import { failureOf } from './failure.ts';
import { endedByPreemption, keepCheckpoints } from './checkpoint.ts';
import { createTaskLog } from './logger.ts';
import { readPayload } from './payload.ts';
import { resultOf } from './result.ts';
import { utf8Bytes } from './text.ts';

/** A task type's handler, as its author writes it. */
export interface TaskDefinition<Schema extends z.ZodType = z.ZodType, Result = unknown> {
  /** The task type, or several that one function serves. A task of any other type is refused before `run`. */
  readonly type: string | readonly string[];
  /** What the payload must be. `run` gets its output: defaults filled in, transforms done. */
  readonly input: Schema;
  /**
   * Seconds between two questions to the platform whether the task was cancelled, 1 to 300; the first comes after 2 s, so
   * that a short attempt asks nothing. `false`: never, and {@link TaskContext.signal} aborts at the deadline alone.
   * @default 5
   */
  readonly checkSeconds?: number | false;
  /**
   * Does the work. It may run more than once for one task, so its effects must be idempotent: `ctx.uid` is the key.
   *
   * @returns the task's result: anything that JSON can say, or nothing
   * @throws FatalError, ThrottledError, or anything else, which means retryable
   */
  // A property, not a method: methods are compared bivariantly, and a wrong input type would pass.
  readonly run: (ctx: TaskContext, input: z.output<Schema>) => Result | Promise<Result>;
}

/** The Lambda handler; it carries its definition, so that `runTask` takes it as it is. */
export type TaskHandler<Schema extends z.ZodType = z.ZodType, Result = unknown> = ((
  event: unknown,
  context?: InvocationContext,
) => Promise<KitReply>) &
  TaskDefinition<Schema, Result>;

/**
 * Makes a Lambda handler out of a schema and a function. The handler answers with the attempt's outcome and does not
 * throw, but for an event that is not from Sluice.
 *
 * | what happens | class |
 * | --- | --- |
 * | `run` returns | succeeded |
 * | the payload does not fit `input` | fatal, with zod's issues; `run` is not called |
 * | the result is not JSON, or too large | fatal |
 * | `run` throws a {@link FatalError} | fatal |
 * | `run` throws a {@link ThrottledError} | throttled, free |
 * | the attempt begins after its deadline | throttled, free; `run` is not called |
 * | it was asked to make room, and `ctx.checkpoint` or an aborted call threw | preempted, free |
 * | anything else is thrown, a `ZodError` too | retryable |
 *
 * @throws EnvelopeError when the event is not one of Sluice's
 *
 * @example
 * export const handler = defineTask({
 *   type: 'greet',
 *   input: z.object({ name: z.string() }),
 *   run: (ctx, { name }) => {
 *     ctx.log.info('greeting', { name });
 *     return { text: `Hello, ${name}` };
 *   },
 * });
 */
export function defineTask<Schema extends z.ZodType, Result>(definition: TaskDefinition<Schema, Result>): TaskHandler<Schema, Result> {
  const { checkSeconds = CHECK_SECONDS } = definition;
  if (checkSeconds !== false && !(checkSeconds >= 1 && checkSeconds <= 300)) {
    throw new TypeError(`checkSeconds is ${checkSeconds}; give seconds from 1 to 300, or false`);
  }
  const handle = async (event: unknown, context?: InvocationContext): Promise<KitReply> => {
    const startedAt = Date.now();
    const envelope = parseEnvelope(event);
    const { task, tenant, uid, type, attempt, fence } = envelope.sluice;
    const identity = { task, tenant, uid, type, attempt, fence };
    const log = createTaskLog({ identity });
    const deadline = Math.min(envelope.sluice.deadline, startedAt + (context?.getRemainingTimeInMillis() ?? Infinity));
    const clock = startDeadlineClock(deadline, startedAt);
    const stopWatching = checkSeconds === false ? () => undefined : watchAttempt(envelope, checkSeconds, clock.abort);
    const checkpoints = keepCheckpoints(clock.signal);
    const ctx: TaskContext = {
      ...identity,
      deadline: new Date(deadline),
      remainingMs: () => Math.max(0, deadline - Date.now()),
      signal: clock.signal,
      checkpoint: checkpoints.checkpoint,
      lastCheckpoint: envelope.sluice.checkpoint,
      log,
    };
    try {
      refuse(definition, envelope, startedAt);
      const input = await parseInput(definition, await readPayload(envelope, ctx.signal));
      const value = await definition.run(ctx, input);
      const result = resultOf(value, utf8Bytes(JSON.stringify(event)));
      return {
        sluice: { version: 1, class: 'succeeded', startedAt, endedAt: Date.now() },
        ...(result !== undefined && { result }),
      };
    } catch (thrown) {
      const endedAt = Date.now();
      const kept = checkpoints.kept();
      const leftOff = kept === undefined ? {} : { checkpoint: kept };
      if (endedByPreemption(thrown, clock.signal)) {
        log.info('attempt made room for a higher class');
        return { sluice: { version: 1, class: 'preempted', startedAt, endedAt, ...leftOff } };
      }
      const failure = failureOf(thrown, endedAt);
      // The reply takes the error out of Lambda's own sight, so the kit writes it down.
      log[failure.class === 'fatal' ? 'error' : 'warn'](`attempt failed: ${failure.class}`, { error: failure.error });
      return { sluice: { version: 1, ...failure, startedAt, endedAt, ...leftOff } };
    } finally {
      stopWatching();
      clock.stop();
    }
  };
  return Object.assign(handle, { type: definition.type, input: definition.input, run: definition.run });
}

function parseEnvelope(event: unknown): Envelope {
  const parsed = envelopeSchema.safeParse(event);
  if (parsed.success) return parsed.data;
  throw new EnvelopeError(
    'this function is the handler of a Sluice task and was invoked with something else: submit a task, or use ' +
      `runTask in a test. What is wrong with the event:\n${z.prettifyError(parsed.error)}`,
  );
}

/** What is decided before the payload is read. */
function refuse(definition: Pick<TaskDefinition, 'type'>, { sluice }: Envelope, now: number): void {
  const types = typeof definition.type === 'string' ? [definition.type] : definition.type;
  if (!types.includes(sluice.type)) {
    // Retryable: the task is right and the deployment wrong, and the next deployment may mend it.
    throw new RetryableError(
      `this handler serves the task type ${types.map((type) => `"${type}"`).join(', ')} and was given a task of ` +
        `"${sluice.type}": deploy the handler of that type, or name both in defineTask's type`,
    );
  }
  if (sluice.deadline <= now) {
    // Its successor may be running by now. Throttled, because late starts mean that too much was started.
    throw new ThrottledError(`started ${now - sluice.deadline} ms after its deadline`);
  }
}

/** A payload that does not fit. Fatal: it is the same payload in every attempt. */
class InputError extends FatalError {
  override name = 'InputError';
}

/** @throws InputError with zod's issues */
export async function parseInput<Schema extends z.ZodType>(
  definition: Pick<TaskDefinition<Schema>, 'input' | 'type'>,
  payload: unknown,
): Promise<z.output<Schema>> {
  const parsed = await definition.input.safeParseAsync(payload);
  if (parsed.success) return parsed.data;
  throw new InputError(`the payload does not fit the schema of ${String(definition.type)}:\n${z.prettifyError(parsed.error)}`);
}
