import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { messageOf } from './errors.ts';
import { listenPreferably } from './servers/listen.ts';

export interface HttpRequest {
  method: string;
  /** Without the query, as sent. */
  path: string;
  query: URLSearchParams;
  /** By lower-case name; repeated ones are joined. */
  headers: Record<string, string | undefined>;
  body: Buffer;
}

export interface HttpReply {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** Answers a request, or leaves it to the next service. */
export type Service = (request: HttpRequest) => Promise<HttpReply | undefined> | HttpReply | undefined;

/** Larger than anything a service accepts, so that its own limit answers. */
const MAX_BODY_BYTES = 16 * 1024 * 1024;

/** The one address of the AWS services that the host implements itself: Lambda, EventBridge, Scheduler, CloudFormation. */
export class ControlPlane {
  private readonly services: Service[] = [];
  private readonly server: Server;

  constructor() {
    this.server = createServer((request, response) => {
      this.answer(request, response).catch((error: unknown) => {
        if (!response.headersSent) response.writeHead(500, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ message: messageOf(error) }));
      });
    });
    this.server.keepAliveTimeout = 60_000;
    // An invocation may take 15 minutes.
    this.server.requestTimeout = 0;
  }

  listen(preferredPort: number | undefined): Promise<number> {
    return listenPreferably(this.server, preferredPort);
  }

  add(service: Service): void {
    this.services.push(service);
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    this.server.closeAllConnections();
    await closed;
  }

  private async answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(incoming.url ?? '/', 'http://host');
    const body = await readBody(incoming, MAX_BODY_BYTES);
    if (body === undefined) {
      response.writeHead(413, { 'content-type': 'application/json', 'x-amzn-errortype': 'RequestTooLargeException' });
      response.end(JSON.stringify({ Type: 'User', message: `Request must be smaller than ${MAX_BODY_BYTES} bytes` }));
      return;
    }
    const request: HttpRequest = {
      method: incoming.method ?? 'GET',
      path: url.pathname,
      query: url.searchParams,
      headers: joinedHeaders(incoming),
      body,
    };
    for (const service of this.services) {
      const reply = await service(request);
      if (reply === undefined) continue;
      response.writeHead(reply.status, reply.headers);
      response.end(reply.body);
      return;
    }
    const operation = request.headers['x-amz-target'] ?? `${request.method} ${request.path}`;
    response.writeHead(501, { 'content-type': 'application/json', 'x-amzn-errortype': 'NotImplementedException' });
    response.end(JSON.stringify({ message: `${operation} is not implemented by the embedded host.` }));
  }
}

/** The whole body; undefined, with the rest read and dropped, when it is larger than the limit. */
export function readBody(incoming: IncomingMessage, limit: number): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    incoming.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= limit) chunks.push(chunk);
    });
    incoming.on('end', () => resolve(size > limit ? undefined : Buffer.concat(chunks)));
    incoming.on('error', reject);
  });
}

/** Headers by lower-case name, repeated ones joined by a comma. */
export function joinedHeaders({ headers }: IncomingMessage): Record<string, string | undefined> {
  const { 'set-cookie': cookies, ...others } = headers;
  return cookies === undefined ? (others as Record<string, string | undefined>) : { ...others, 'set-cookie': cookies.join(',') };
}
