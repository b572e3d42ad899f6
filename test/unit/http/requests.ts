import type { Scope } from '@sluice/contracts';
import type { Authorizer, HttpEvent, HttpResult } from '../../../adapters/http/event.ts';

export interface RequestOptions {
  readonly tenant?: string;
  readonly scopes?: readonly Scope[];
  /** In place of what the token's authorizer leaves. */
  readonly authorizer?: Authorizer;
  /** As the text of the URL where a parameter repeats. */
  readonly query?: Record<string, string> | string;
  readonly path?: Record<string, string>;
  /** Text as it is; anything else as JSON. */
  readonly body?: unknown;
  readonly base64?: boolean;
}

/** A request as an HTTP API hands it to a function, payload format 2.0. */
export function request(routeKey: string, options: RequestOptions = {}): HttpEvent {
  const { tenant = 'acme', scopes = ['submit', 'read'], query, path, body, base64 = false } = options;
  const [method = '', route = ''] = routeKey.split(' ');
  const text = typeof body === 'string' || body === undefined ? body : JSON.stringify(body);
  return {
    version: '2.0',
    routeKey,
    rawPath: route,
    rawQueryString: new URLSearchParams(query).toString(),
    headers: { 'content-type': 'application/json' },
    isBase64Encoded: base64,
    ...(query && { queryStringParameters: joined(new URLSearchParams(query)) }),
    ...(path && { pathParameters: path }),
    ...(text !== undefined && { body: base64 ? Buffer.from(text).toString('base64') : text }),
    requestContext: {
      accountId: '000000000000',
      apiId: 'api',
      domainName: 'api.example.com',
      domainPrefix: 'api',
      http: { method, path: route, protocol: 'HTTP/1.1', sourceIp: '192.0.2.1', userAgent: 'test' },
      requestId: 'request-1',
      routeKey,
      stage: '$default',
      time: '01/Jan/2026:00:00:00 +0000',
      timeEpoch: 1_767_225_600_000,
      authorizer: options.authorizer ?? { lambda: { tenant, scopes: scopes.join(',') } },
    },
  };
}

/** As the gateway does it: values of one name with commas between them. */
function joined(query: URLSearchParams): Record<string, string> {
  return Object.fromEntries([...new Set(query.keys())].map((name) => [name, query.getAll(name).join(',')]));
}

export interface Answer {
  readonly status: number;
  readonly headers: Record<string, unknown>;
  readonly body: Record<string, unknown>;
}

export function answerOf({ statusCode = 0, headers = {}, body = 'null' }: HttpResult): Answer {
  return { status: statusCode, headers, body: JSON.parse(body) as Record<string, unknown> };
}
