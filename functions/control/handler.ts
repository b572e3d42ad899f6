import { type ControlMessage, controlMessageSchema } from '@sluice/contracts';
import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { type ControlStep, runRound } from '../../core/control/round.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Telemetry } from '../../core/ports/telemetry.ts';

/** Time left for the answer, ms. */
const MARGIN_MS = 10_000;

export interface ControlFunctionDeps {
  readonly steps: readonly ControlStep[];
  readonly clock: Clock;
  readonly telemetry: Telemetry;
}

/** A round of control: the minute's, or one for what its queue tells, whose messages stay together or go together. */
export function createHandler({ steps, clock, telemetry }: ControlFunctionDeps) {
  return async (event: Partial<SQSEvent>, context: Context): Promise<SQSBatchResponse> => {
    const now = clock.now();
    const told = event.Records?.flatMap(({ body }) => parsed(body, telemetry)) ?? [];
    const round = { now, deadline: now + context.getRemainingTimeInMillis() - MARGIN_MS, minute: event.Records === undefined, told };
    await runRound(steps, round, telemetry);
    return { batchItemFailures: [] };
  };
}

/** What can't be read is dropped: a newer version's, which the minute's round makes up for. */
function parsed(body: string, telemetry: Telemetry): ControlMessage[] {
  try {
    return [controlMessageSchema.parse(JSON.parse(body))];
  } catch (error) {
    telemetry.log('error', 'unreadable control message', { body: body.slice(0, 500), error });
    return [];
  }
}
