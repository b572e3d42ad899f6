import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';

/**
 * The middleware that hands the trace of the invocation that we are in on to every call. Lambda drops messages after
 * about 16 hops of one trace through functions and queues, and a task that is retried or waits in queues makes many
 * honest hops: each call of ours begins a trace of its own.
 */
const TRACE_FORWARDING = 'recursionDetectionMiddleware';

const TIMEOUTS = { connectionTimeout: 1000, requestTimeout: 5000, throwOnRequestTimeout: true };
const PLENTY_OF_SOCKETS = 256;

export interface ClientsConfig {
  /** Where DynamoDB is, in place of the region's own endpoint; likewise the others. */
  readonly dynamodbEndpoint?: string | undefined;
  readonly sqsEndpoint?: string | undefined;
  readonly lambdaEndpoint?: string | undefined;
  readonly s3Endpoint?: string | undefined;
  readonly eventsEndpoint?: string | undefined;
  /** @default the SDK's own chain */
  readonly region?: string | undefined;
  /** @default the SDK's own chain */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined;
}

export interface Clients {
  readonly dynamodb: DynamoDBDocumentClient;
  readonly sqs: SQSClient;
  readonly lambda: LambdaClient;
  readonly s3: S3Client;
  readonly events: EventBridgeClient;
}

/** All but that of Lambda, for functions that invoke none: it stays out of their bundle. */
export type StoreClients = Omit<Clients, 'lambda'>;

/**
 * The platform's SDK clients, each made when it is first used: a function pays at cold start for its own alone. In the
 * bundles of the platform's functions those of `slim/` stand for them.
 */
export function createClients(config: ClientsConfig = {}): Clients {
  return lazily<Clients>({
    ...storeMakers(config),
    lambda: () =>
      freshTraces(
        new LambdaClient({
          ...commonOf(config),
          ...at(config.lambdaEndpoint),
          // A second try of an invocation is a second run. How long one may last, its caller says.
          maxAttempts: 1,
          requestHandler: { connectionTimeout: TIMEOUTS.connectionTimeout, ...sockets(4 * PLENTY_OF_SOCKETS) },
        }),
      ),
  });
}

/** The same without that of Lambda. */
export function createStoreClients(config: ClientsConfig = {}): StoreClients {
  return lazily<StoreClients>(storeMakers(config));
}

type Makers<T> = { readonly [K in keyof T]: () => T[K] };

function commonOf(config: ClientsConfig) {
  return {
    ...(config.region !== undefined && { region: config.region }),
    ...(config.credentials && { credentials: config.credentials }),
    retryMode: 'standard',
    // The same for all: services' own defaults differ, and three times 5 s fit the 30 s that a hint may wait for its row.
    maxAttempts: 3,
  };
}

function at(endpoint: string | undefined): { endpoint?: string } {
  return endpoint === undefined ? {} : { endpoint };
}

function sockets(maxSockets: number) {
  const agent = { keepAlive: true, maxSockets };
  return { httpAgent: agent, httpsAgent: agent };
}

function storeMakers(config: ClientsConfig): Makers<StoreClients> {
  const common = commonOf(config);
  const short = { ...TIMEOUTS, ...sockets(PLENTY_OF_SOCKETS) };

  return {
    dynamodb: () =>
      DynamoDBDocumentClient.from(freshTraces(new DynamoDBClient({ ...common, ...at(config.dynamodbEndpoint), requestHandler: short })), {
        marshallOptions: { removeUndefinedValues: true },
      }),
    sqs: () =>
      freshTraces(
        // The queue's URL names it; the calls go to the client's endpoint, wherever an emulator says its queues are.
        new SQSClient({ ...common, ...at(config.sqsEndpoint), requestHandler: short, useQueueUrlAsEndpoint: false }),
      ),
    s3: () =>
      freshTraces(
        new S3Client({
          ...common,
          ...(config.s3Endpoint !== undefined && { endpoint: config.s3Endpoint, forcePathStyle: true }),
          requestHandler: { ...short, requestTimeout: 10_000 },
        }),
      ),
    events: () => freshTraces(new EventBridgeClient({ ...common, ...at(config.eventsEndpoint), requestHandler: short })),
  };
}

/** @throws when the SDK's middleware has another name: then traces would be forwarded in silence. */
export function freshTraces<C extends { readonly middlewareStack: { readonly remove: (name: string) => boolean } }>(client: C): C {
  if (!client.middlewareStack.remove(TRACE_FORWARDING)) throw new Error(`the SDK has no ${TRACE_FORWARDING} to remove`);
  return client;
}

function lazily<T extends object>(make: Makers<T>): T {
  const made: Partial<T> = {};
  const all = {} as T;
  for (const name of Object.keys(make) as (keyof T)[]) {
    Object.defineProperty(all, name, { enumerable: true, get: () => (made[name] ??= make[name]()) });
  }
  return all;
}
