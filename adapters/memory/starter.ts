import type { DestinationRecord, Envelope, StartMode, TaskTypeSpec } from '@sluice/contracts';
import type { Clock } from '../../core/ports/clock.ts';
import type { HandlerAnswer, Starter, StartResult } from '../../core/ports/starter.ts';

export type MemoryHandler = (envelope: Envelope) => unknown;

export interface MemoryStarterConfig {
  readonly clock: Clock;
  /** The handler of each type; a type without one is missing. Adding one later makes it known. */
  readonly handlers: Record<string, MemoryHandler>;
  /** Takes the record of an `event` attempt's end. */
  readonly onRecord: (record: DestinationRecord) => void | Promise<void>;
  /** Decides instead of the handler where it answers: a refusal or an unknown answer. */
  readonly before?: (spec: TaskTypeSpec, mode: StartMode, envelope: Envelope) => StartResult | undefined;
  /** Runs an `event` attempt, at once or later. @default at once, in the background */
  readonly launch?: (run: () => Promise<void>) => void;
}

export interface MemoryStarter extends Starter {
  /** Resolves when every attempt that was launched so far has ended and its record was taken. */
  readonly idle: () => Promise<void>;
}

/** Calls functions of this process, with the answers and records that Lambda would give. */
export function createMemoryStarter(config: MemoryStarterConfig): MemoryStarter {
  const running = new Set<Promise<void>>();
  const launch = config.launch ?? ((run) => void run());
  let requests = 0;

  const recordOf = (spec: TaskTypeSpec, envelope: Envelope, answer: HandlerAnswer): DestinationRecord => ({
    version: '1.0',
    timestamp: new Date(config.clock.now()).toISOString(),
    requestContext: {
      requestId: answer.requestId ?? '',
      functionArn: spec.handler.arn,
      condition: answer.functionError === undefined ? 'Success' : 'RetriesExhausted',
      approximateInvokeCount: 1,
    },
    requestPayload: envelope,
    responseContext: {
      statusCode: 200,
      executedVersion: '1',
      ...(answer.functionError !== undefined && { functionError: answer.functionError }),
    },
    responsePayload: answer.payload,
  });

  return {
    start: async (spec, mode, given) => {
      const envelope = structuredClone(given);
      const decided = config.before?.(spec, mode, envelope);
      if (decided) return decided;
      const handler = config.handlers[spec.type];
      if (!handler) return { kind: 'refused', why: 'missing', message: `no handler for ${spec.type}` };
      if (mode === 'wait') return { kind: 'answered', answer: await answerOf(handler, envelope, `r${++requests}`) };
      launch(() => {
        const run = answerOf(handler, envelope, `r${++requests}`)
          .then((answer) => config.onRecord(recordOf(spec, structuredClone(given), answer)))
          .finally(() => running.delete(run));
        running.add(run);
        return run;
      });
      return { kind: 'started' };
    },
    idle: async () => {
      while (running.size > 0) await Promise.all(running);
    },
  };
}

async function answerOf(handler: MemoryHandler, envelope: Envelope, requestId: string): Promise<HandlerAnswer> {
  try {
    return { requestId, payload: structuredClone(await handler(envelope)) ?? null };
  } catch (error) {
    const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
    const trace = stack?.split('\n') ?? [];
    return { requestId, functionError: 'Unhandled', payload: { errorType: name, errorMessage: message, trace } };
  }
}
