import type { Json } from '../assembly/template.ts';

/** What an API tells browsers about calls from other origins. */
export interface CorsConfiguration {
  /** Origins, `http://*`, `https://*` or `*`. */
  allowOrigins: string[];
  allowMethods: string[];
  allowHeaders: string[];
  exposeHeaders: string[];
  allowCredentials: boolean;
  /** Undefined leaves it to the browser, which takes 5 seconds. */
  maxAgeSeconds: number | undefined;
}

export interface CorsRequest {
  method: string;
  origin: string | undefined;
  /** The method of the call that a preflight asks for. */
  requestedMethod: string | undefined;
}

/** The configuration as a template writes it; undefined when there is none. */
export function corsConfigurationOf(value: Json | undefined): CorsConfiguration | undefined {
  if (value === undefined) return undefined;
  const texts = (name: string): string[] => ((value[name] ?? []) as unknown[]).map(String);
  return {
    allowOrigins: texts('AllowOrigins'),
    allowMethods: texts('AllowMethods'),
    allowHeaders: texts('AllowHeaders'),
    exposeHeaders: texts('ExposeHeaders'),
    allowCredentials: String(value['AllowCredentials']) === 'true',
    maxAgeSeconds: value['MaxAge'] === undefined ? undefined : Number(value['MaxAge']),
  };
}

/**
 * The headers of an answer to a page of another origin; none for an origin that may not call, and for what is no page.
 * The documentation speaks of answers from integrations; here the gateway's own refusals have them too, or a page could
 * not tell a wrong token from a broken network.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html
 */
export function corsHeaders(cors: CorsConfiguration | undefined, { origin }: CorsRequest): Record<string, string> {
  const allowed = cors === undefined || origin === undefined ? undefined : allowedOrigin(cors, origin);
  if (cors === undefined || allowed === undefined) return {};
  return {
    'access-control-allow-origin': allowed,
    // The answer for one origin must not be given to another out of a cache.
    ...(allowed !== '*' && { vary: 'origin' }),
    ...(cors.allowCredentials && { 'access-control-allow-credentials': 'true' }),
    ...(cors.exposeHeaders.length > 0 && { 'access-control-expose-headers': cors.exposeHeaders.join(',') }),
  };
}

/** The headers of the answer to a preflight, undefined for any other request. */
export function preflightHeaders(cors: CorsConfiguration | undefined, request: CorsRequest): Record<string, string> | undefined {
  if (cors === undefined || request.method !== 'OPTIONS') return undefined;
  if (request.origin === undefined || request.requestedMethod === undefined) return undefined;
  if (allowedOrigin(cors, request.origin) === undefined) return {};
  return {
    ...corsHeaders(cors, request),
    ...(cors.allowMethods.length > 0 && { 'access-control-allow-methods': cors.allowMethods.join(',') }),
    ...(cors.allowHeaders.length > 0 && { 'access-control-allow-headers': cors.allowHeaders.join(',') }),
    ...(cors.maxAgeSeconds !== undefined && { 'access-control-max-age': String(cors.maxAgeSeconds) }),
  };
}

function allowedOrigin({ allowOrigins }: CorsConfiguration, origin: string): string | undefined {
  if (allowOrigins.includes('*')) return '*';
  const given = origin.toLowerCase();
  const allowed = allowOrigins.map((text) => text.toLowerCase());
  if (allowed.includes(given)) return origin;
  return ['http://', 'https://'].some((scheme) => given.startsWith(scheme) && allowed.includes(`${scheme}*`)) ? origin : undefined;
}
