import { SluiceError, type ApiRoute, type Problem, type RouteName, type Scope } from '@sluice/contracts';
import { allows, requireScope } from '../../core/auth/identity.ts';
import type { Telemetry } from '../../core/ports/telemetry.ts';
import type { TokenStore } from '../../core/ports/token-store.ts';
import { jsonBody } from './body.ts';
import type { HttpEvent, HttpResult } from './event.ts';
import { identify } from './identity.ts';
import { problemOf, problemResult } from './respond.ts';

/** A request, taken apart. */
export interface HttpRequest {
  /** Whose credentials it came with; empty for a route that needs none. */
  readonly tenant: string;
  /** @throws SluiceError `forbidden` where the credentials do not have that scope */
  readonly needs: (scope: Scope) => void;
  /** A parameter of the path, decoded. */
  readonly param: (name: string) => string;
  /** The parameters of the query; of one that repeats, its values with commas between them. */
  readonly query: Readonly<Record<string, string>>;
  /** Every value of a parameter that may repeat. */
  readonly queryAll: (name: string) => readonly string[];
  /**
   * The body's JSON.
   * @param absent what no body at all stands for; without it a body is needed
   * @throws SluiceError `malformed_json`, `body_too_large`
   */
  readonly body: (absent?: unknown) => unknown;
  /** An error that is part of an answer, as the caller may see it. */
  readonly problem: (error: unknown) => Problem;
}

export type Route = (request: HttpRequest) => Promise<HttpResult>;
export type Routes<N extends RouteName = RouteName> = Partial<Record<N, Route>>;

export interface HttpDeps {
  /** For SigV4 callers; tokens are the authorizer's matter. */
  readonly tokens: Pick<TokenStore, 'findPrincipal'>;
  readonly telemetry: Telemetry;
}

/**
 * A Lambda handler for some routes of the API: it finds the route, checks the credentials' scope, and turns what is
 * thrown into problem details. It never throws, since the gateway's own 500 says nothing.
 * @param table the routes' methods, paths and scopes; those without a handler count for nothing
 */
export function createHttpHandler<N extends RouteName>(
  deps: HttpDeps,
  table: Readonly<Record<N, ApiRoute>>,
  routes: Routes<NoInfer<N>>,
): (event: HttpEvent) => Promise<HttpResult> {
  const byKey = new Map((Object.keys(routes) as N[]).map((name) => [`${table[name].method} ${table[name].path}`, name]));
  return async (event) => {
    let tenant = '';
    const problem = (error: unknown): Problem =>
      problemOf(error, event.requestContext.requestId, deps.telemetry, { route: event.routeKey, tenant });
    try {
      const name = byKey.get(event.routeKey);
      const route = name && routes[name];
      if (!name || !route)
        throw new SluiceError('not_found', `there is no ${event.routeKey}; the routes are ${[...byKey.keys()].join(', ')}`);
      const { scope, or } = table[name];
      let needs: HttpRequest['needs'] = () => {};
      if (scope !== undefined) {
        const identity = await identify(deps.tokens, event.requestContext.authorizer);
        tenant = identity.tenant;
        needs = (needed) => requireScope(identity, needed);
        if (or === undefined || !allows(identity.scopes, or)) needs(scope);
      }
      return await route({
        tenant,
        needs,
        param: (key) => decoded(event.pathParameters?.[key] ?? ''),
        query: queryOf(event),
        queryAll: (key) => new URLSearchParams(event.rawQueryString).getAll(key),
        body: (absent) => (absent !== undefined && !event.body ? absent : jsonBody(event)),
        problem,
      });
    } catch (error) {
      return problemResult(problem(error));
    }
  };
}

/** Gateways differ in whether they decode a path; no task id has a "%", so that one more time does no harm. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function queryOf(event: HttpEvent): Record<string, string> {
  const entries = Object.entries(event.queryStringParameters ?? {});
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => entry[1] !== undefined));
}
