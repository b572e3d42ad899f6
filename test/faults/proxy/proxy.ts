import {
  Agent,
  createServer,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Endpoints } from '../../../local/clients.ts';
import { listenOnLoopback } from '../../../local/servers/listen.ts';
import { errorAnswer } from './errors.ts';
import { treatmentOf } from './kinds.ts';
import { ArmedRule, type Rule, type SeenCall } from './rules.ts';

/** ms by which a call is delayed: less than a client waits for an answer. */
const DELAY_MS = 1_500;
const SMOOTHING = 0.05;
const TAG = 'x-sluice-';
/** Where requests go that name their address themselves. */
const HTTP = 'http';

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders | Readonly<Record<string, string>>;
  readonly body: Buffer | string;
}

/**
 * Stands between functions and services: hands each request on to its service, but where a rule says otherwise. A request
 * to `/<function>/<service>/…` is that function's request of that service.
 */
export class FaultProxy {
  /** Told of each request, before anything is done with it. */
  onCall: (call: SeenCall) => void = () => undefined;
  private readonly server: Server;
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 1_000 });
  private readonly armed = new Set<ArmedRule>();
  /** ms that services took for their latest answers, smoothed: how crowded the machine is. */
  latencyMs = 0;
  private upstreams: Readonly<Record<string, string>> = {};
  private port = 0;

  constructor() {
    this.server = createServer((request, response) => {
      this.answer(request, response).catch(() => request.socket.destroy());
    });
    this.server.keepAliveTimeout = 60_000;
    // An invocation may take long.
    this.server.requestTimeout = 0;
  }

  async listen(): Promise<void> {
    this.port = await listenOnLoopback(this.server, 0);
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections();
    this.agent.destroy();
    await closed;
  }

  /** The addresses that a function is given in place of the services' own. */
  endpointsFor(fn: string, services: Endpoints): Endpoints {
    this.upstreams = { ...services };
    const names = Object.keys(services) as (keyof Endpoints)[];
    return Object.fromEntries(names.map((service) => [service, this.urlFor(fn, service)])) as unknown as Endpoints;
  }

  /** Where a function sends requests whose address stands in the query, as `to`. */
  fetchUrlFor(fn: string): string {
    return this.urlFor(fn, HTTP);
  }

  arm(rule: Rule): ArmedRule {
    const armed = new ArmedRule(rule);
    this.armed.add(armed);
    return armed;
  }

  disarm(armed: ArmedRule): void {
    armed.release();
    this.armed.delete(armed);
  }

  private urlFor(fn: string, service: string): string {
    return `http://127.0.0.1:${this.port}/${fn}/${service}`;
  }

  private async answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await bodyOf(incoming);
    const [, fn = '', service = '', rest = '/'] = /^\/([^/?]+)\/([^/?]+)(.*)$/.exec(incoming.url ?? '') ?? [];
    const call = callOf(fn, service, rest, incoming.headers, body);
    this.onCall(call);
    const armed = [...this.armed].find((each) => each.takes(call));
    const send = (): Promise<Answer> => this.send(service, rest, incoming, body);
    if (armed === undefined) return end(response, await send());
    const { sent, delayed, held, answer } = treatmentOf(armed.rule.kind, armed.tries);
    if (delayed) await sleep(DELAY_MS);
    if (held) await armed.whenReleased();
    let answered: Answer | undefined;
    for (let n = 0; n < sent; n++) answered = await send();
    switch (answer) {
      case 'service':
        return end(response, answered ?? (await send()));
      case 'fault':
      case 'throttle':
        return end(response, errorAnswer(service, answer));
      case 'cut':
        incoming.socket.destroy();
        return;
      case 'kill':
        if (call.pid === undefined) throw new Error(`a call of ${fn} without its process cannot be killed`);
        process.kill(call.pid, 'SIGKILL');
    }
  }

  private send(service: string, rest: string, incoming: IncomingMessage, body: Buffer): Promise<Answer> {
    const upstream = this.upstreams[service];
    const target = service === HTTP ? new URLSearchParams(rest.split('?')[1]).get('to') : upstream && upstream + rest;
    if (!target) throw new Error(`there is no service ${service}`);
    const { hostname, port, pathname, search } = new URL(target);
    const headers = Object.fromEntries(Object.entries(incoming.headers).filter(([name]) => name !== 'connection' && !name.startsWith(TAG)));
    const options = { agent: this.agent, hostname, port, path: pathname + search, method: incoming.method, headers };
    return new Promise((resolve, reject) => {
      const began = performance.now();
      const sent = httpRequest(options, (answer) => {
        // An invocation takes as long as its handler.
        if (service === 'dynamodb') this.latencyMs += (performance.now() - began - this.latencyMs) * SMOOTHING;
        bodyOf(answer).then((text) => resolve({ status: answer.statusCode ?? 502, headers: answer.headers, body: text }), reject);
      });
      sent.on('error', reject);
      sent.end(body);
    });
  }
}

function callOf(fn: string, service: string, rest: string, headers: IncomingHttpHeaders, body: Buffer): SeenCall {
  const tag = (name: string): string | undefined => headers[TAG + name] as string | undefined;
  const [port, command, pid] = [tag('port'), tag('command'), tag('pid')];
  return {
    fn,
    service,
    site: port === undefined || command === undefined ? undefined : { port, command },
    call: tag('call') ?? '',
    pid: pid === undefined ? undefined : Number(pid),
    text: [decoded(rest), decoded(tag('about') ?? ''), body.toString('utf8')].join('\n'),
  };
}

/** What was cut in the middle of an escape stays as it is. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replace(/%[0-9A-F]?$/i, ''));
  } catch {
    return text;
  }
}

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function end(response: ServerResponse, { status, headers, body }: Answer): void {
  const { 'transfer-encoding': _, connection: __, ...kept } = headers as IncomingHttpHeaders;
  response.writeHead(status, { ...kept, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}
