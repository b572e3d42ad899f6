import { type Answer, type Operation, serviceError } from './service.ts';

/**
 * An operation of a service that speaks AWS JSON.
 * @param target such as `AmazonSQS.SendMessage`
 */
export function jsonOperation<I, O>(version: '1.0' | '1.1', target: string): Operation<I, O> {
  const headers = { 'content-type': `application/x-amz-json-${version}`, 'x-amz-target': target };
  return {
    callOf: (input) => ({ method: 'POST', path: '/', headers, body: JSON.stringify(input) }),
    outputOf: ({ body }) => (body.length > 0 ? JSON.parse(body.toString('utf-8')) : {}) as O,
  };
}

/** The error that a JSON service answered with, or a gateway before it, which may have no words for it. */
export function jsonErrorOf(answer: Answer): Error {
  const { __type, code, message, Message, ...told } = recordOf(answer.body);
  // `namespace#Name:http://…`, of which only the name is told everywhere.
  const type = answer.headers['x-amzn-errortype'] ?? __type ?? code ?? '';
  const name = type.replace(/^.*#/, '').replace(/[:,].*$/, '');
  return serviceError(answer, name || 'UnknownError', message ?? Message ?? `status ${answer.status}`, told);
}

type ErrorBody = Partial<Record<'__type' | 'code' | 'message' | 'Message', string>>;

function recordOf(body: Buffer): ErrorBody {
  try {
    return { ...(JSON.parse(body.toString('utf-8')) as ErrorBody) };
  } catch {
    return {};
  }
}
