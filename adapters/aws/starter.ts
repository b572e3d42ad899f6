import type { Envelope, StartMode, TaskTypeSpec } from '@sluice/contracts';
import { InvokeCommand, type InvokeCommandOutput, type LambdaClient } from '@aws-sdk/client-lambda';
import type { HandlerAnswer, Starter, StartResult } from '../../core/ports/starter.ts';

export interface StarterConfig {
  /**
   * Seconds beyond a handler's timeout that its answer is waited for: a cold start comes before the timeout begins.
   * @default 15
   */
  readonly marginSeconds?: number;
  /** Seconds that taking an event may last. @default 10 */
  readonly eventSeconds?: number;
}

/** The function cannot take it now; it certainly did not run. */
const THROTTLED = new Set([
  'TooManyRequestsException',
  'ThrottlingException',
  'Throttling',
  'RequestLimitExceeded',
  'EC2ThrottledException',
  'ENILimitReachedException',
  'SubnetIPAddressLimitReachedException',
  'ResourceConflictException',
  'ResourceNotReadyException',
  'SnapStartNotReadyException',
]);

/** The function cannot be run as it is configured, though Lambda answers with a status of its own faults. */
const BROKEN = new Set([
  'EC2AccessDeniedException',
  'InvalidRuntimeException',
  'InvalidSecurityGroupIDException',
  'InvalidSubnetIDException',
  'InvalidZipFileException',
  'KMSAccessDeniedException',
  'KMSDisabledException',
  'KMSInvalidStateException',
  'KMSNotFoundException',
]);

/** Statuses of an attempt to run that went wrong halfway (file system time-out and I/O): it may have begun. */
const HALFWAY = new Set([408, 410]);

/**
 * Starts attempts as invocations of Lambda functions. Its client must not repeat calls: a repeated invocation is a
 * second run.
 */
export function createStarter(client: LambdaClient, config: StarterConfig = {}): Starter {
  const { marginSeconds = 15, eventSeconds = 10 } = config;

  const invoke = (spec: TaskTypeSpec, mode: StartMode, envelope: Envelope): Promise<InvokeCommandOutput> => {
    const seconds = mode === 'event' ? eventSeconds : spec.timeoutSeconds + marginSeconds;
    const command = new InvokeCommand({
      FunctionName: spec.handler.arn,
      InvocationType: mode === 'event' ? 'Event' : 'RequestResponse',
      Payload: Buffer.from(JSON.stringify(envelope)),
    });
    return client.send(command, { abortSignal: AbortSignal.timeout(seconds * 1000) });
  };

  return {
    start: async (spec, mode, envelope) => {
      try {
        const output = await invoke(spec, mode, envelope);
        if (mode === 'wait') return { kind: 'answered', answer: answerOfOutput(output) };
        if (output.StatusCode === 202) return { kind: 'started' };
        return { kind: 'unknown', message: `an event was answered with status ${output.StatusCode}` };
      } catch (error) {
        return resultOfError(error);
      }
    },
  };
}

function answerOfOutput({ FunctionError, Payload, $metadata }: InvokeCommandOutput): HandlerAnswer {
  const text = Payload ? Buffer.from(Payload).toString('utf-8') : '';
  const { requestId } = $metadata;
  return { functionError: FunctionError, payload: jsonOf(text), ...(requestId !== undefined && { requestId }) };
}

/** A custom runtime may answer with anything; what is no JSON is kept as text. */
function jsonOf(text: string): unknown {
  if (text === '') return null;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/**
 * What a failed call says of the attempt. Only an answer of Lambda's that it refused the call means that nothing ran;
 * without an answer, or with a fault of its own, the attempt may run.
 */
export function resultOfError(error: unknown): StartResult {
  const { name, message, status } = partsOf(error);
  const told = `${name}: ${message}`;
  if (THROTTLED.has(name) || status === 429) return { kind: 'refused', why: 'throttled', message: told };
  if (BROKEN.has(name)) return { kind: 'refused', why: 'missing', message: told };
  if (name === 'RequestTooLargeException' || status === 413) {
    // It will never fit: an answer that no retry follows, as the handler itself would give one.
    const payload = { errorType: 'FatalError', errorMessage: `the payload is too large to invoke with: ${message}` };
    return { kind: 'answered', answer: { functionError: 'RequestTooLarge', payload } };
  }
  const refused = status !== undefined && status >= 400 && status < 500 && !HALFWAY.has(status);
  return refused ? { kind: 'refused', why: 'missing', message: told } : { kind: 'unknown', message: told };
}

function partsOf(error: unknown): { name: string; message: string; status: number | undefined } {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error), status: undefined };
  const { $metadata } = error as { $metadata?: { httpStatusCode?: number } };
  return { name: error.name, message: error.message, status: $metadata?.httpStatusCode };
}
