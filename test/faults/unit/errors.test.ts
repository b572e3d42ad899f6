import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { InvokeCommand } from '@aws-sdk/client-lambda';
import { PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { SendMessageBatchCommand } from '@aws-sdk/client-sqs';
import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { createClients, type Clients } from '../../../adapters/aws/clients.ts';
import { errorAnswer } from '../proxy/errors.ts';

interface Failure {
  readonly name: string;
  readonly $metadata: { readonly httpStatusCode: number; readonly attempts: number };
}

/** The SDK is the judge: it must know each error as its service's own, and repeat what the service means to be repeated. */
describe('errors that stand for a service', () => {
  let server: Server | undefined;
  afterEach(() => {
    server?.closeAllConnections();
    server?.close();
  });

  async function failureOf(service: string, how: 'fault' | 'throttle', call: (clients: Clients) => Promise<unknown>): Promise<Failure> {
    server = createServer((_, response) => {
      const { status, headers, body } = errorAnswer(service, how);
      response.writeHead(status, headers).end(body);
    });
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const clients = createClients({
      region: 'eu-west-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
      dynamodbEndpoint: endpoint,
      sqsEndpoint: endpoint,
      lambdaEndpoint: endpoint,
      s3Endpoint: endpoint,
      eventsEndpoint: endpoint,
    });
    return call(clients).then(
      () => {
        throw new Error('it was answered');
      },
      (error: unknown) => error as Failure,
    );
  }

  const get = ({ dynamodb }: Clients) => dynamodb.send(new GetCommand({ TableName: 't', Key: { p: 'p' } }));
  const send = ({ sqs }: Clients) =>
    sqs.send(new SendMessageBatchCommand({ QueueUrl: 'http://q/1/q', Entries: [{ Id: '0', MessageBody: 'm' }] }));
  const invoke = ({ lambda }: Clients) => lambda.send(new InvokeCommand({ FunctionName: 'f', Payload: Buffer.from('{}') }));
  const tell = ({ events }: Clients) => events.send(new PutEventsCommand({ Entries: [{ Source: 's', DetailType: 'd', Detail: '{}' }] }));
  const read = ({ s3 }: Clients) => s3.send(new GetObjectCommand({ Bucket: 'b', Key: 'k' }));

  it.each([
    ['dynamodb', 'fault', get, 'InternalServerError', 500, 3],
    ['dynamodb', 'throttle', get, 'ProvisionedThroughputExceededException', 400, 3],
    ['sqs', 'fault', send, 'InternalError', 500, 3],
    ['sqs', 'throttle', send, 'RequestThrottled', 400, 3],
    ['lambda', 'fault', invoke, 'ServiceException', 500, 1],
    ['lambda', 'throttle', invoke, 'TooManyRequestsException', 429, 1],
    ['eventbridge', 'fault', tell, 'InternalException', 500, 3],
    ['eventbridge', 'throttle', tell, 'ThrottlingException', 400, 3],
    ['s3', 'fault', read, 'InternalError', 500, 3],
    ['s3', 'throttle', read, 'SlowDown', 503, 3],
  ] as const)('%s: a %s', async (service, how, call, name, status, attempts) => {
    const failure = await failureOf(service, how, call);
    expect({ name: failure.name, status: failure.$metadata.httpStatusCode, attempts: failure.$metadata.attempts }).toEqual({
      name,
      status,
      attempts,
    });
  });

  it('refuses a service whose errors nobody has written down', () => {
    expect(() => errorAnswer('route53', 'fault')).toThrow(/no errors of route53/);
  });
});
