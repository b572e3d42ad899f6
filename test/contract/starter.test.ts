import type { DestinationRecord, Envelope } from '@sluice/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createStarter } from '../../adapters/aws/starter.ts';
import { createMemoryClock } from '../../adapters/memory/clock.ts';
import { createMemoryStarter } from '../../adapters/memory/starter.ts';
import type { StartResult } from '../../core/ports/starter.ts';
import { makeEnvelope, makeSpec, NOW } from './fixtures.ts';
import { clientsAt, startStandIn, type StandIn } from './servers.ts';
import { starterContract, type Handler } from './starter.ts';

interface Answer {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body: string;
}

/** What the stand-in for Lambda does with an invocation. */
let invoke: (type: string, envelope: Envelope, mode: string) => Answer | undefined | Promise<never>;
let lambda: StandIn;
beforeAll(async () => {
  lambda = await startStandIn(({ path, headers, body }) => {
    const { sluice } = JSON.parse(body) as Envelope;
    expect(decodeURIComponent(path)).toBe(`/2015-03-31/functions/${makeSpec().handler.arn}/invocations`);
    return invoke(sluice.type, JSON.parse(body) as Envelope, String(headers['x-amz-invocation-type']));
  });
});
afterAll(() => lambda.stop());

const failure = (status: number, name: string): Answer => ({
  status,
  headers: { 'x-amzn-errortype': name },
  body: JSON.stringify({ message: 'because' }),
});
const starterOfLambda = (config = {}) => createStarter(clientsAt({ lambdaEndpoint: lambda.endpoint }).lambda, config);

function respond(handler: Handler, envelope: Envelope): Answer {
  try {
    return { status: 200, headers: { 'x-amzn-requestid': 'r1' }, body: JSON.stringify(handler(envelope)) ?? 'null' };
  } catch (error) {
    const { name, message } = error as Error;
    const body = JSON.stringify({ errorType: name, errorMessage: message });
    return { status: 200, headers: { 'x-amz-function-error': 'Unhandled', 'x-amzn-requestid': 'r1' }, body };
  }
}

/** The spec's type is the suite's way to choose a handler; envelopes carry it too. */
const typed = (starter: ReturnType<typeof createStarter>): ReturnType<typeof createStarter> => ({
  start: (spec, mode, envelope) => starter.start(spec, mode, { ...envelope, sluice: { ...envelope.sluice, type: spec.type } }),
});

starterContract('memory', async (handlers) => {
  const events: Envelope[] = [];
  const refusals: Record<string, StartResult> = {
    busy: { kind: 'refused', why: 'throttled', message: 'busy' },
    broken: { kind: 'unknown', message: 'broken' },
  };
  const seen = Object.entries(handlers).map(([type, handler]): [string, Handler] => [
    type,
    (envelope) => {
      events.push(envelope);
      return handler(envelope);
    },
  ]);
  let mode = '';
  const starter = createMemoryStarter({
    clock: createMemoryClock(NOW),
    handlers: Object.fromEntries(seen),
    onRecord: () => {},
    before: (spec, asked) => {
      mode = asked;
      return refusals[spec.type];
    },
  });
  return { starter, events: () => (mode === 'event' ? events : []) };
});

starterContract('Lambda', async (handlers) => {
  const events: Envelope[] = [];
  invoke = (type, envelope, mode) => {
    if (type === 'busy') return failure(429, 'TooManyRequestsException');
    if (type === 'broken') return undefined;
    const handler = handlers[type];
    if (!handler) return failure(404, 'ResourceNotFoundException');
    if (mode === 'RequestResponse') return respond(handler, envelope);
    events.push(envelope);
    return { status: 202, body: '' };
  };
  return { starter: typed(starterOfLambda()), events: () => events };
});

describe('starter on Lambda', () => {
  it.each([
    [429, 'TooManyRequestsException', 'refused', 'throttled'],
    [400, 'ThrottlingException', 'refused', 'throttled'],
    [502, 'EC2ThrottledException', 'refused', 'throttled'],
    [409, 'ResourceConflictException', 'refused', 'throttled'],
    [404, 'ResourceNotFoundException', 'refused', 'missing'],
    [403, 'AccessDeniedException', 'refused', 'missing'],
    [502, 'KMSDisabledException', 'refused', 'missing'],
    [502, 'InvalidRuntimeException', 'refused', 'missing'],
    [400, 'InvalidParameterValueException', 'refused', 'missing'],
    [410, 'EFSIOException', 'unknown', undefined],
    [500, 'ServiceException', 'unknown', undefined],
    [503, 'ServiceUnavailableException', 'unknown', undefined],
    [502, 'EC2UnexpectedException', 'unknown', undefined],
  ])('takes %i %s as %s %s, and asks once', async (status, name, kind, why) => {
    invoke = () => failure(status, name);
    const before = lambda.heard.length;
    const result = await starterOfLambda().start(makeSpec(), 'event', makeEnvelope());
    expect(result).toMatchObject(why === undefined ? { kind } : { kind, why });
    expect(result).toMatchObject({ message: `${name}: because` });
    expect(lambda.heard.length - before).toBe(1);
  });

  it('answers for a payload that will never fit as the handler would, fatally', async () => {
    invoke = () => failure(413, 'RequestTooLargeException');
    expect(await starterOfLambda().start(makeSpec(), 'event', makeEnvelope())).toMatchObject({
      kind: 'answered',
      answer: { functionError: 'RequestTooLarge', payload: { errorType: 'FatalError' } },
    });
  });

  it('asks once where the connection breaks', async () => {
    invoke = () => undefined;
    const before = lambda.heard.length;
    expect(await starterOfLambda().start(makeSpec(), 'wait', makeEnvelope())).toMatchObject({ kind: 'unknown' });
    expect(lambda.heard.length - before).toBe(1);
  });

  it('waits for an answer as long as the handler may run, and a margin', async () => {
    invoke = () => new Promise<never>(() => {});
    const starter = starterOfLambda({ marginSeconds: -0.8, eventSeconds: 0.1 });
    const spec = makeSpec({ timeoutSeconds: 1 });
    expect(await starter.start(spec, 'wait', makeEnvelope())).toMatchObject({ kind: 'unknown' });
    expect(await starter.start(spec, 'event', makeEnvelope())).toMatchObject({ kind: 'unknown' });
  });

  it('keeps an answer that is no JSON as text', async () => {
    invoke = () => ({ status: 200, body: 'hello' });
    expect(await starterOfLambda().start(makeSpec(), 'wait', makeEnvelope())).toMatchObject({
      answer: { payload: 'hello' },
    });
    invoke = () => ({ status: 200, body: '' });
    expect(await starterOfLambda().start(makeSpec(), 'wait', makeEnvelope())).toMatchObject({ answer: { payload: null } });
  });
});

describe('starter in memory', () => {
  it.each([
    ['Success', undefined, () => ({ n: 2 })],
    [
      'RetriesExhausted',
      'Unhandled',
      () => {
        throw new Error('no');
      },
    ],
  ])('records the end of an event as Lambda does: %s', async (condition, functionError, handler) => {
    const records: DestinationRecord[] = [];
    const starter = createMemoryStarter({
      clock: createMemoryClock(NOW),
      handlers: { thumbnail: handler },
      onRecord: (record) => void records.push(record),
    });
    const envelope = makeEnvelope();
    await starter.start(makeSpec(), 'event', envelope);
    await starter.idle();
    expect(records).toMatchObject([
      {
        timestamp: new Date(NOW).toISOString(),
        requestContext: { functionArn: makeSpec().handler.arn, condition, approximateInvokeCount: 1 },
        requestPayload: envelope,
      },
    ]);
    expect(records[0]?.responseContext?.functionError).toBe(functionError);
  });

  it('launches an event when it is told to', async () => {
    const launched: (() => Promise<void>)[] = [];
    const records: DestinationRecord[] = [];
    const starter = createMemoryStarter({
      clock: createMemoryClock(NOW),
      handlers: { thumbnail: () => 1 },
      onRecord: (record) => void records.push(record),
      launch: (run) => void launched.push(run),
    });
    expect(await starter.start(makeSpec(), 'event', makeEnvelope())).toEqual({ kind: 'started' });
    await starter.idle();
    expect(records).toEqual([]);
    await launched[0]?.();
    expect(records).toHaveLength(1);
  });
});
