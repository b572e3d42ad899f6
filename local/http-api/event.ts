import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { ACCOUNT } from '../account.ts';
import { joinedHeaders } from '../control-plane.ts';
import type { HttpApi } from './api.ts';
import { decode, type MatchedRoute } from './routes.ts';

/** What an integration and an authorizer get of a request, in payload format 2.0. */
export interface RequestParts {
  rawPath: string;
  rawQueryString: string;
  cookies?: string[];
  headers: Record<string, string | undefined>;
  queryStringParameters?: Record<string, string>;
  requestContext: Record<string, unknown>;
  pathParameters?: Record<string, string>;
  stageVariables?: Record<string, string>;
}

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html */
export function requestParts(incoming: IncomingMessage, url: URL, api: HttpApi, matched: MatchedRoute, at: number): RequestParts {
  const { cookie, ...headers } = joinedHeaders(incoming);
  // Without a prototype, so that `__proto__` is a name like any other.
  const query = Object.create(null) as Record<string, string>;
  for (const [name, value] of url.searchParams) query[name] = name in query ? `${query[name]},${value}` : value;
  const now = new Date(at);
  const path = decode(url.pathname);
  return {
    rawPath: path,
    rawQueryString: url.search.slice(1),
    ...(cookie === undefined ? {} : { cookies: cookie.split(';').map((part) => part.trim()) }),
    headers,
    ...(Object.keys(query).length === 0 ? {} : { queryStringParameters: query }),
    requestContext: {
      accountId: ACCOUNT,
      apiId: api.id,
      domainName: headers['host']?.split(':')[0] ?? '127.0.0.1',
      domainPrefix: api.id,
      http: {
        method: incoming.method,
        path,
        protocol: `HTTP/${incoming.httpVersion}`,
        sourceIp: incoming.socket.remoteAddress ?? '127.0.0.1',
        userAgent: headers['user-agent'] ?? '',
      },
      requestId: randomUUID(),
      routeKey: matched.route.routeKey,
      stage: api.stage,
      time: clfTime(now),
      timeEpoch: now.getTime(),
    },
    ...(Object.keys(matched.pathParameters).length === 0 ? {} : { pathParameters: matched.pathParameters }),
    ...(Object.keys(api.stageVariables).length === 0 ? {} : { stageVariables: api.stageVariables }),
  };
}

/** The event of an integration; what is not text is sent as base64. */
export function integrationEvent(parts: RequestParts, routeKey: string, body: Buffer, authorizer: unknown): string {
  const isText = /^(text\/|application\/(json|javascript|xml)\b|application\/[\w.-]+\+(json|xml)\b)/i.test(
    parts.headers['content-type'] ?? '',
  );
  return JSON.stringify({
    version: '2.0',
    routeKey,
    ...parts,
    requestContext: authorizer === undefined ? parts.requestContext : { ...parts.requestContext, authorizer: { lambda: authorizer } },
    ...(body.length === 0 ? {} : { body: body.toString(isText ? 'utf8' : 'base64') }),
    isBase64Encoded: body.length > 0 && !isText,
  });
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `12/Mar/2020:19:03:58 +0000` */
function clfTime(date: Date): string {
  const day = String(date.getUTCDate()).padStart(2, '0');
  return `${day}/${MONTHS[date.getUTCMonth()]}/${date.getUTCFullYear()}:${date.toISOString().slice(11, 19)} +0000`;
}
