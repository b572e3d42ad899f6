import { createRequire } from 'node:module';
import { createServer, request as httpRequest, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { CreateTableCommand } from '@aws-sdk/client-dynamodb';
import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { startFauxqs, type FauxqsServer } from 'fauxqs';
import { createClients, type Clients, type ClientsConfig } from '../../adapters/aws/clients.ts';
import { TABLE } from '@sluice/contracts';

const dynalite = createRequire(import.meta.url)('dynalite') as (options: { createTableMs: number }) => Server;

export function clientsAt(endpoints: ClientsConfig): Clients {
  return createClients({
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    ...endpoints,
  });
}

export interface Dynamo {
  readonly clients: Clients;
  /** Makes an empty table with the platform's keys and indexes. */
  readonly newTable: () => Promise<string>;
  /** The next call is applied, and its answer is lost on the wire. */
  readonly loseNextAnswer: () => void;
  readonly stop: () => Promise<void>;
}

/** DynamoDB, by dynalite behind a wire that can lose answers. */
export async function startDynamo(): Promise<Dynamo> {
  const database = dynalite({ createTableMs: 0 });
  const target = await listening(database);
  const losing = { next: false };
  const open = new Set<ServerResponse>();
  database.on('request', (_request, response: ServerResponse) => {
    open.add(response);
    response.on('close', () => open.delete(response));
  });
  const wire = createServer((incoming, outgoing) => forward(target, incoming, outgoing, losing));
  const clients = clientsAt({ dynamodbEndpoint: `http://127.0.0.1:${await listening(wire)}` });
  let tables = 0;
  return {
    clients,
    newTable: async () => {
      const TableName = `sluice-${++tables}`;
      await makeTable(clients, TableName);
      return TableName;
    },
    loseNextAnswer: () => {
      losing.next = true;
    },
    stop: async () => {
      clients.dynamodb.config.requestHandler.destroy?.();
      await closed(wire);
      // A database that is closed while it reads throws where nobody catches it: what is read in the background ends first.
      await Promise.all([...open].map((response) => once(response, 'close')));
      await closed(database);
    },
  };
}

/** Makes an empty table with the platform's keys and indexes. */
export async function makeTable(clients: Clients, TableName: string): Promise<void> {
  const index = ({ name, partitionKey, sortKey }: typeof TABLE.listIndex | typeof TABLE.deadIndex) => ({
    IndexName: name,
    KeySchema: [
      { AttributeName: partitionKey, KeyType: 'HASH' as const },
      { AttributeName: sortKey, KeyType: 'RANGE' as const },
    ],
    Projection: { ProjectionType: 'KEYS_ONLY' as const },
  });
  await clients.dynamodb.send(
    new CreateTableCommand({
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: ['p', 's', 'lp', 'ls', 'dp', 'ds'].map((AttributeName) => ({
        AttributeName,
        AttributeType: 'S',
      })),
      KeySchema: [
        { AttributeName: TABLE.partitionKey, KeyType: 'HASH' },
        { AttributeName: TABLE.sortKey, KeyType: 'RANGE' },
      ],
      GlobalSecondaryIndexes: [index(TABLE.listIndex), index(TABLE.deadIndex)],
    }),
  );
  // The answer says that it is being made.
  while (!(await isThere(clients, TableName))) await pause(5);
}

async function isThere({ dynamodb }: Clients, TableName: string): Promise<boolean> {
  try {
    await dynamodb.send(new GetCommand({ TableName, Key: { [TABLE.partitionKey]: 'none', [TABLE.sortKey]: 'none' } }));
    return true;
  } catch (error) {
    if (error instanceof Error && error.name === 'ResourceNotFoundException') return false;
    throw error;
  }
}

export interface Faux {
  readonly server: FauxqsServer;
  readonly clients: Clients;
  readonly stop: () => Promise<void>;
}

/** SQS and S3, by fauxqs. */
export async function startFaux(): Promise<Faux> {
  const server = await startFauxqs({ port: 0, logger: false });
  const clients = clientsAt({ sqsEndpoint: server.address, s3Endpoint: server.address });
  return { server, clients, stop: () => server.stop() };
}

export interface Heard {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface StandIn {
  readonly endpoint: string;
  readonly heard: readonly Heard[];
  readonly stop: () => Promise<void>;
}

/** A service that answers as the test says; `undefined` hangs up without an answer. */
export async function startStandIn(
  answer: (heard: Heard) => { status: number; headers?: Record<string, string>; body: string } | undefined | Promise<never>,
): Promise<StandIn> {
  const heard: Heard[] = [];
  const server = createServer((incoming, outgoing) => {
    void bodyOf(incoming).then(async (body) => {
      const one = { method: incoming.method ?? '', path: incoming.url ?? '', headers: incoming.headers, body: body.toString('utf-8') };
      heard.push(one);
      const answered = await answer(one);
      if (answered) outgoing.writeHead(answered.status, answered.headers ?? {}).end(answered.body);
      else incoming.socket.destroy();
    });
  });
  const port = await listening(server);
  return { endpoint: `http://127.0.0.1:${port}`, heard, stop: () => closed(server) };
}

function forward(port: number, incoming: IncomingMessage, outgoing: ServerResponse, losing: { next: boolean }): void {
  const { method, url, headers } = incoming;
  const onward = httpRequest({ port, host: '127.0.0.1', method, path: url, headers }, (answer) => {
    void bodyOf(answer).then((body) => {
      if (losing.next) {
        losing.next = false;
        incoming.socket.destroy();
      } else outgoing.writeHead(answer.statusCode ?? 500, answer.headers).end(body);
    });
  });
  onward.on('error', () => incoming.socket.destroy());
  incoming.pipe(onward);
}

async function bodyOf(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

async function closed(server: Server): Promise<void> {
  const done = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  await done;
}
