import { randomUUID } from 'node:crypto';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { crc32 } from 'node:zlib';
import type { Fields } from './attributes.ts';
import { part } from './parts.ts';

type Refusal = Error & { statusCode?: number; body?: object };

interface Validations {
  checkTypes(data: Fields, types: Fields): Fields;
  checkValidations(data: Fields, types: Fields, custom: unknown, store: object): void;
}

/** An operation as dynalite has it. */
interface Operation {
  readonly types: Fields;
  readonly custom: unknown;
  readonly run: (store: object, data: Fields, callback: (error: Refusal | null, answer?: object) => void) => void;
}

const OPERATIONS = ['BatchGetItem', 'BatchWriteItem', 'DeleteItem', 'GetItem', 'PutItem', 'Query', 'UpdateItem'];
const TARGET = 'DynamoDB_20120810.';
const CONTENT_TYPE = 'application/x-amz-json-1.0';
const MAX_BODY_BYTES = 16 * 1024 * 1024;

/** What every SDK signs with; what looks otherwise is dynalite's to refuse. */
const SIGNED = /^AWS4-\S+ Credential=[^, ]+,? ?SignedHeaders=[^, ]+,? ?Signature=[^, ]+$/;

/**
 * Takes the calls of items off dynalite's hands, as they come from an SDK, and answers with its own actions: half of
 * what a call costs it is to look at the request's address, signature and headers by turns. All else goes to it as before.
 */
export function answerItemCalls(server: Server, store: object): void {
  const validations = part<Validations>('validations', 'checkTypes', 'checkValidations');
  const operations = new Map(OPERATIONS.map((name) => [TARGET + name, operationOf(name)]));
  const [others] = server.listeners('request') as ((incoming: IncomingMessage, response: ServerResponse) => void)[];
  if (others === undefined) throw new Error('dynalite has no listener of requests any more');
  server.removeAllListeners('request');
  server.on('request', (incoming: IncomingMessage, response: ServerResponse) => {
    const operation = isPlain(incoming) ? operations.get(String(incoming.headers['x-amz-target'])) : undefined;
    if (operation === undefined) return others(incoming, response);
    const chunks: Buffer[] = [];
    let size = 0;
    incoming.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= MAX_BODY_BYTES) chunks.push(chunk);
    });
    incoming.on('end', () => {
      if (size > MAX_BODY_BYTES) return response.writeHead(413).end();
      const text = chunks.length === 1 ? String(chunks[0]) : Buffer.concat(chunks).toString();
      let data: Fields;
      try {
        data = JSON.parse(text) as Fields;
      } catch {
        return answer(response, { __type: 'com.amazon.coral.service#SerializationException' }, 400);
      }
      try {
        data = validations.checkTypes(data, operation.types);
        validations.checkValidations(data, operation.types, operation.custom, store);
      } catch (error) {
        return refuse(response, error as Refusal);
      }
      operation.run(store, data, (error, answered = {}) => (error ? refuse(response, error) : answer(response, answered, 200)));
    });
    // The caller is gone.
    incoming.on('error', () => undefined);
  });
}

function operationOf(name: string): Operation {
  const file = name[0]?.toLowerCase() + name.slice(1);
  const { types, custom } = part<Partial<Operation>>(`validations/${file}`);
  const run = part<Operation['run']>(`actions/${file}`);
  if (types === undefined || typeof run !== 'function') throw new Error(`dynalite has its ${name} elsewhere now`);
  return { types, custom, run };
}

function isPlain({ method, url, headers }: IncomingMessage): boolean {
  return (
    method === 'POST' &&
    url === '/' &&
    headers['content-type'] === CONTENT_TYPE &&
    headers.origin === undefined &&
    headers['x-amz-date'] !== undefined &&
    SIGNED.test(headers.authorization ?? '')
  );
}

/** @throws what is no refusal: the thread ends by it */
function refuse(response: ServerResponse, error: Refusal): void {
  if (error.statusCode === undefined || error.body === undefined) throw error;
  answer(response, error.body, error.statusCode);
}

function answer(response: ServerResponse, body: object, status: number): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'x-amzn-RequestId': randomUUID(),
    'x-amz-crc32': crc32(text),
    'Content-Type': CONTENT_TYPE,
    'Content-Length': Buffer.byteLength(text),
  });
  response.end(text);
}
