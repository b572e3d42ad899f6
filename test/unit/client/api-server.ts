import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  /** ms since the epoch. */
  readonly at: number;
}

type Reply = (response: ServerResponse, request: Received) => void | Promise<void>;

export interface ApiServer {
  readonly baseUrl: string;
  readonly received: Received[];
  /** What the next requests are answered with, in order; the last one answers all that follow. */
  readonly reply: (...replies: Reply[]) => void;
  readonly close: () => Promise<void>;
}

/** A real HTTP server on a free port, whose answers a test sets. */
export async function startApiServer(): Promise<ApiServer> {
  const received: Received[] = [];
  let replies: Reply[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (text: string) => (body += text));
    request.on('end', () => {
      const seen = { method: request.method ?? '', url: request.url ?? '', headers: request.headers, body, at: Date.now() };
      received.push(seen);
      const reply = replies.length > 1 ? replies.shift() : replies[0];
      void reply?.(response, seen);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    reply: (...next) => {
      replies = next;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export function answer(status: number, body: unknown, headers: Record<string, string> = {}): Reply {
  return (response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };
}

/** Cuts the connection before a single byte of an answer. */
export const cut: Reply = (response) => {
  response.destroy();
};

/** Cuts the connection in the middle of the body. */
export const cutInBody: Reply = (response) => {
  response.writeHead(200, { 'content-length': '1000' });
  response.write('{"id":');
  setImmediate(() => response.destroy());
};
