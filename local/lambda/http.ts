import { randomUUID } from 'node:crypto';
import type { HttpReply, HttpRequest } from '../control-plane.ts';
import { messageOf } from '../errors.ts';
import type { AsyncQueue } from './async-queue.ts';
import { MAX_ASYNC_BYTES, MAX_SYNC_BYTES } from './runtime-process.ts';
import type { InvocationTarget, LambdaService } from './service.ts';

const INVOKE_PATH = /^\/2015-03-31\/functions\/([^/]+)\/invocations\/?$/;

/**
 * The Invoke operation of the Lambda API, undefined for any other path.
 * https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
 */
export async function handleLambda(request: HttpRequest, service: LambdaService, queue: AsyncQueue): Promise<HttpReply | undefined> {
  const reference = INVOKE_PATH.exec(request.path)?.[1];
  if (reference === undefined || request.method !== 'POST') return undefined;
  const name = decodeURIComponent(reference);
  const target = service.find(name, request.query.get('Qualifier') ?? undefined);
  if (target === undefined) return failure(404, 'ResourceNotFoundException', `Function not found: ${name}`);
  const type = request.headers['x-amz-invocation-type'] ?? 'RequestResponse';
  const limit = type === 'Event' ? MAX_ASYNC_BYTES : MAX_SYNC_BYTES;
  if (request.body.length > limit) {
    const text = `Request must be smaller than ${limit} bytes for the InvokeFunction operation`;
    return failure(413, 'RequestTooLargeException', text);
  }
  const event = request.body.length === 0 ? '{}' : request.body.toString('utf8');
  try {
    JSON.parse(event);
  } catch (error) {
    const text = `Could not parse request body into json: ${messageOf(error)}`;
    return failure(400, 'InvalidRequestContentException', text);
  }
  switch (type) {
    case 'DryRun':
      return { status: 204, headers: {}, body: '' };
    case 'Event': {
      const requestId = queue.accept(target, event);
      return { status: 202, headers: { 'x-amzn-requestid': requestId }, body: '' };
    }
    case 'RequestResponse':
      return invoke(service, target, event);
    default:
      return failure(400, 'InvalidParameterValueException', `Unknown invocation type ${type}`);
  }
}

async function invoke(service: LambdaService, target: InvocationTarget, event: string): Promise<HttpReply> {
  const outcome = await service.invoke(target, event, randomUUID());
  if (outcome.kind === 'throttled') {
    return failure(429, 'TooManyRequestsException', 'Rate Exceeded.', outcome.reason);
  }
  return {
    status: 200,
    headers: {
      'content-type': 'application/json',
      'x-amzn-requestid': outcome.requestId,
      'x-amz-executed-version': outcome.executedVersion,
      ...(outcome.functionError === undefined ? {} : { 'x-amz-function-error': outcome.functionError }),
    },
    body: outcome.payload,
  };
}

function failure(status: number, type: string, message: string, reason?: string): HttpReply {
  return {
    status,
    headers: { 'content-type': 'application/json', 'x-amzn-errortype': type, 'x-amzn-requestid': randomUUID() },
    body: JSON.stringify({ Type: 'User', message, Message: message, ...(reason === undefined ? {} : { Reason: reason }) }),
  };
}
