import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { joinedHeaders, readBody, type Service } from '../control-plane.ts';
import { messageOf } from '../errors.ts';
import { MAX_SYNC_BYTES } from '../lambda/runtime-process.ts';
import type { InvocationOutcome, LambdaService } from '../lambda/service.ts';
import type { LogSink } from '../log.ts';
import { listenOnLoopback, portInUse } from '../servers/listen.ts';
import type { HttpApi } from './api.ts';
import { Authorizers } from './authorizer.ts';
import { corsHeaders, preflightHeaders, type CorsRequest } from './cors.ts';
import { integrationEvent, requestParts } from './event.ts';
import { answerOf, refusal, type HttpAnswer } from './result.ts';
import { matchRoute, type MatchedRoute } from './routes.ts';

/** Largest request in bytes. */
const MAX_BODY_BYTES = 10 * 1024 * 1024;

export interface HttpApiServerOptions {
  /** The host's time, ms. */
  now: () => number;
  /** Asked for what no route of the API matches. */
  fallback?: Service | undefined;
  /** Whether an integration that takes too long is given up. */
  timeLimits: boolean;
  /** Whether each call is told in the log. */
  logCalls: boolean;
}

/** An HTTP API (API Gateway v2) on a port of its own; Lambda proxy integrations with payload format 2.0. */
export class HttpApiServer {
  api: HttpApi | undefined;
  /** Until then every call is answered 503: an API of which only a part is deployed would say that there is no such route. */
  ready = false;
  private readonly server: Server;
  private readonly service: LambdaService;
  private readonly options: HttpApiServerOptions;
  private readonly authorizers: Authorizers;
  private readonly log: LogSink;
  private port = 0;

  constructor(service: LambdaService, log: LogSink, options: HttpApiServerOptions) {
    this.service = service;
    this.log = log;
    this.options = options;
    this.authorizers = new Authorizers(service, options.now);
    this.server = createServer((request, response) => void this.serve(request, response));
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
      throw portInUse(port);
    }
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    this.server.closeAllConnections();
    await closed;
  }

  private async serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const began = performance.now();
    const { method = 'GET', url: path = '/' } = incoming;
    let isOwn: boolean | undefined;
    try {
      const answer = await this.answer(incoming, method, new URL(`http://host${path}`));
      isOwn = answer.isOwn;
      send(response, answer);
    } catch (error) {
      this.log({ level: 'error', source: 'http-api', message: messageOf(error) });
      if (!response.headersSent) send(response, refusal(500, 'Internal Server Error'));
    }
    if (!this.options.logCalls || isOwn === true) return;
    const message = `${method} ${path} ${response.statusCode} ${Math.round(performance.now() - began)} ms`;
    this.log({ level: 'debug', source: 'http-api', message });
  }

  private async answer(incoming: IncomingMessage, method: string, url: URL): Promise<HttpAnswer> {
    const body = await readBody(incoming, MAX_BODY_BYTES);
    if (body === undefined) return refusal(413, 'Request Entity Too Large');
    const { api } = this;
    if (!this.ready) return { ...refusal(503, 'Service Unavailable'), isOwn: true };
    const headers = joinedHeaders(incoming);
    const cors: CorsRequest = { method, origin: headers['origin'], requestedMethod: headers['access-control-request-method'] };
    const matched = api && matchRoute(api.routes.values(), method, url.pathname);
    if (api === undefined || matched === undefined) {
      const preflight = preflightHeaders(api?.cors, cors);
      if (preflight !== undefined) return { status: 204, headers: preflight, body: '' };
      // Not the API's: no page of another origin shall read it.
      const own = await this.options.fallback?.({ method, path: url.pathname, query: url.searchParams, headers, body });
      if (own !== undefined) return { ...own, isOwn: true };
    }
    const answer =
      api === undefined || matched === undefined ? refusal(404, 'Not Found') : await this.answerRoute(api, matched, incoming, url, body);
    if (api?.cors === undefined) return answer;
    // What the function says about other origins is replaced.
    const kept = Object.entries(answer.headers).filter(([name]) => !name.toLowerCase().startsWith('access-control-'));
    return { ...answer, headers: { ...Object.fromEntries(kept), ...corsHeaders(api.cors, cors) } };
  }

  private async answerRoute(api: HttpApi, matched: MatchedRoute, incoming: IncomingMessage, url: URL, body: Buffer): Promise<HttpAnswer> {
    const { routeKey, authorization, authorizerId, integrationId } = matched.route;
    const integration = api.integrations.get(integrationId);
    if (integration === undefined) return refusal(404, 'Not Found');
    const parts = requestParts(incoming, url, api, matched, this.options.now());
    let context: unknown;
    if (authorization === 'AWS_IAM' || authorization === 'JWT') {
      return refusal(501, `The embedded host cannot check ${authorization} authorization (route ${routeKey}).`);
    }
    if (authorization === 'CUSTOM') {
      const authorizer = api.authorizers.get(authorizerId ?? '');
      if (authorizer === undefined) return refusal(500, 'Internal Server Error');
      const decision = await this.authorizers.authorize(api, authorizer, routeKey, parts);
      if (decision.kind === 'unauthorized') return refusal(401, 'Unauthorized');
      if (decision.kind === 'forbidden') return refusal(403, 'Forbidden');
      if (decision.kind === 'failed') return refusal(500, 'Internal Server Error');
      context = decision.context;
    }

    const target = this.service.find(integration.functionReference);
    if (target === undefined) return refusal(500, 'Internal Server Error');
    const event = integrationEvent(parts, routeKey, body, context);
    // Lambda's limit counts the event as sent: base64 and escaped quotes included.
    if (Buffer.byteLength(event) > MAX_SYNC_BYTES) return refusal(413, 'Request Entity Too Large');
    const run = this.service.invoke(target, event);
    const outcome = this.options.timeLimits ? await within(integration.timeoutMs, run) : await run;
    if (outcome === 'late' || outcome.kind === 'throttled') return refusal(503, 'Service Unavailable');
    if (outcome.functionError !== undefined) return refusal(500, 'Internal Server Error');
    return answerOf(outcome.payload);
  }
}

function send(response: ServerResponse, { status, headers, body }: HttpAnswer): void {
  response.writeHead(status, headers);
  response.end(body);
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
