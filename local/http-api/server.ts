import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { textOf } from '../assembly/template.ts';
import { readBody } from '../control-plane.ts';
import { HostError, messageOf } from '../errors.ts';
import { MAX_SYNC_BYTES } from '../lambda/runtime-process.ts';
import type { InvocationOutcome, LambdaService } from '../lambda/service.ts';
import type { LogSink } from '../log.ts';
import { listenOnLoopback } from '../servers/listen.ts';
import type { HttpApi } from './api.ts';
import { Authorizers } from './authorizer.ts';
import { integrationEvent, requestParts } from './event.ts';
import { matchRoute } from './routes.ts';

/** Largest request in bytes. */
const MAX_BODY_BYTES = 10 * 1024 * 1024;

/** An HTTP API (API Gateway v2) on a port of its own; Lambda proxy integrations with payload format 2.0. */
export class HttpApiServer {
  api: HttpApi | undefined;
  private readonly server: Server;
  private readonly service: LambdaService;
  private readonly authorizers: Authorizers;
  private readonly log: LogSink;
  private port = 0;

  constructor(service: LambdaService, log: LogSink) {
    this.service = service;
    this.log = log;
    this.authorizers = new Authorizers(service);
    this.server = createServer((request, response) => {
      this.answer(request, response).catch((error: unknown) => {
        this.log({ level: 'error', source: 'http-api', message: messageOf(error) });
        if (!response.headersSent) reply(response, 500, 'Internal Server Error');
      });
    });
    this.server.keepAliveTimeout = 60_000;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async listen(port: number): Promise<void> {
    try {
      this.port = await listenOnLoopback(this.server, port);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
      throw new HostError('PORT_IN_USE', `Port ${port} is in use: end the process that has it, or choose another port.`);
    }
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    this.server.closeAllConnections();
    await closed;
  }

  private async answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(`http://host${incoming.url ?? '/'}`);
    const body = await readBody(incoming, MAX_BODY_BYTES);
    if (body === undefined) return reply(response, 413, 'Request Entity Too Large');
    const { api } = this;
    const matched = api && matchRoute(api.routes.values(), incoming.method ?? 'GET', url.pathname);
    if (api === undefined || matched === undefined) return reply(response, 404, 'Not Found');
    const integration = api.integrations.get(matched.route.integrationId);
    if (integration === undefined) return reply(response, 404, 'Not Found');

    const { routeKey, authorization, authorizerId } = matched.route;
    const parts = requestParts(incoming, url, api, matched);
    let context: unknown;
    if (authorization === 'AWS_IAM' || authorization === 'JWT') {
      return reply(response, 501, `The embedded host cannot check ${authorization} authorization (route ${routeKey}).`);
    }
    if (authorization === 'CUSTOM') {
      const authorizer = api.authorizers.get(authorizerId ?? '');
      if (authorizer === undefined) return reply(response, 500, 'Internal Server Error');
      const decision = await this.authorizers.authorize(api, authorizer, routeKey, parts);
      if (decision.kind === 'unauthorized') return reply(response, 401, 'Unauthorized');
      if (decision.kind === 'forbidden') return reply(response, 403, 'Forbidden');
      if (decision.kind === 'failed') return reply(response, 500, 'Internal Server Error');
      context = decision.context;
    }

    const target = this.service.find(integration.functionReference);
    if (target === undefined) return reply(response, 500, 'Internal Server Error');
    const event = integrationEvent(parts, routeKey, body, context);
    // Lambda's limit counts the event as sent: base64 and escaped quotes included.
    if (Buffer.byteLength(event) > MAX_SYNC_BYTES) return reply(response, 413, 'Request Entity Too Large');
    const outcome = await within(integration.timeoutMs, this.service.invoke(target, event));
    if (outcome === 'late' || outcome.kind === 'throttled') return reply(response, 503, 'Service Unavailable');
    if (outcome.functionError !== undefined) return reply(response, 500, 'Internal Server Error');
    sendResult(response, outcome.payload);
  }
}

async function within(milliseconds: number, work: Promise<InvocationOutcome>): Promise<InvocationOutcome | 'late'> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => (timer = setTimeout(() => resolve('late'), milliseconds)));
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The server sets these from the body that it really sends. */
const OWN_HEADERS = new Set(['content-length', 'transfer-encoding', 'connection']);

interface ProxyResult {
  statusCode: number;
  headers?: Record<string, unknown>;
  cookies?: string[];
  body?: unknown;
  isBase64Encoded?: boolean;
}

/** A result with a status code is the response; any other is the body of a 200. */
function sendResult(response: ServerResponse, payload: string): void {
  const result = JSON.parse(payload) as unknown;
  if (result === null || typeof result !== 'object' || !('statusCode' in result)) {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(typeof result === 'string' ? result : payload);
    return;
  }
  const { statusCode, headers = {}, cookies, body, isBase64Encoded } = result as ProxyResult;
  const status = Number(statusCode);
  if (!Number.isInteger(status) || status < 200 || status > 599) return reply(response, 500, 'Internal Server Error');
  const text = body === undefined || body === null ? '' : typeof body === 'string' ? body : JSON.stringify(body);
  const bytes = Buffer.from(text, isBase64Encoded === true ? 'base64' : 'utf8');
  response.statusCode = status;
  const names = new Set(Object.keys(headers).map((name) => name.toLowerCase()));
  if (!names.has('content-type') && bytes.length > 0) response.setHeader('content-type', 'text/plain;charset=utf-8');
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || value === null || OWN_HEADERS.has(name.toLowerCase())) continue;
    response.setHeader(name, textOf(value));
  }
  if (cookies !== undefined && cookies.length > 0) response.setHeader('set-cookie', cookies);
  response.end(bytes);
}

function reply(response: ServerResponse, status: number, message: string): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ message }));
}
