import { randomUUID } from 'node:crypto';

export interface ErrorAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** How each service words a fault of its own and a throttle: status, then name, then message. */
const WORDS: Record<string, { readonly fault: Words; readonly throttle: Words }> = {
  dynamodb: {
    fault: [500, 'com.amazonaws.dynamodb.v20120810#InternalServerError', 'Internal server error'],
    throttle: [
      400,
      'com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException',
      'The level of configured provisioned throughput for the table was exceeded.',
    ],
  },
  sqs: {
    fault: [500, 'com.amazonaws.sqs#InternalError', 'We encountered an internal error. Please try again.'],
    throttle: [400, 'com.amazonaws.sqs#RequestThrottled', 'The request was denied due to request throttling.'],
  },
  lambda: {
    fault: [500, 'ServiceException', 'An error occurred and the request cannot be processed.'],
    throttle: [429, 'TooManyRequestsException', 'Rate Exceeded.'],
  },
  eventbridge: {
    fault: [500, 'InternalException', 'This exception occurs due to unexpected causes.'],
    throttle: [400, 'ThrottlingException', 'Rate exceeded'],
  },
  scheduler: {
    fault: [500, 'InternalServerException', 'Unexpected error encountered while processing the request.'],
    throttle: [429, 'ThrottlingException', 'Rate exceeded'],
  },
  s3: {
    fault: [500, 'InternalError', 'We encountered an internal error. Please try again.'],
    throttle: [503, 'SlowDown', 'Please reduce your request rate.'],
  },
  http: {
    fault: [500, 'Internal Server Error', ''],
    throttle: [503, 'Slow Down', ''],
  },
};

type Words = readonly [status: number, name: string, message: string];

/** The answer by which a service says that it failed, or that there were too many calls. @throws for a service that is not known */
export function errorAnswer(service: string, how: 'fault' | 'throttle'): ErrorAnswer {
  const words = WORDS[service];
  if (words === undefined) throw new Error(`no errors of ${service} are known: add them to test/faults/proxy/errors.ts`);
  const [status, name, message] = words[how];
  const requestId = randomUUID();
  if (service === 's3') {
    const body = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${name}</Code><Message>${message}</Message><RequestId>${requestId}</RequestId></Error>`;
    return { status, headers: { 'content-type': 'application/xml', 'x-amz-request-id': requestId }, body };
  }
  const inHeader = service === 'lambda' || service === 'scheduler';
  return {
    status,
    headers: {
      'content-type': 'application/x-amz-json-1.0',
      'x-amzn-requestid': requestId,
      ...(inHeader && { 'x-amzn-errortype': name }),
    },
    body: JSON.stringify(inHeader ? { Type: status < 500 ? 'User' : 'Service', message } : { __type: name, message }),
  };
}
