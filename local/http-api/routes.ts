import type { HttpRoute } from './api.ts';

export interface MatchedRoute {
  route: HttpRoute;
  pathParameters: Record<string, string>;
}

/**
 * The most specific route of a request: a full match before one with parameters, that before a greedy one,
 * a method before `ANY`, and `$default` last.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
 */
export function matchRoute(routes: Iterable<HttpRoute>, method: string, path: string): MatchedRoute | undefined {
  let best: (MatchedRoute & { rank: string }) | undefined;
  for (const route of routes) {
    const match = matchOne(route, method, path);
    if (match !== undefined && (best === undefined || match.rank < best.rank)) best = match;
  }
  return best;
}

function matchOne(route: HttpRoute, method: string, path: string): (MatchedRoute & { rank: string }) | undefined {
  if (route.routeKey === '$default') return { route, pathParameters: {}, rank: '~' };
  const [routeMethod, pattern = ''] = route.routeKey.split(' ');
  if (routeMethod !== 'ANY' && routeMethod !== method) return undefined;
  const wanted = segmentsOf(pattern);
  const given = segmentsOf(path);
  const pathParameters: Record<string, string> = {};
  let rank = '';
  for (const [index, segment] of wanted.entries()) {
    const name = /^\{(.+?)(\+?)\}$/.exec(segment);
    if (name?.[2] === '+') {
      if (given.length <= index) return undefined;
      pathParameters[name[1] ?? ''] = given.slice(index).map(decode).join('/');
      return { route, pathParameters, rank: `${rank}2${routeMethod === 'ANY' ? 1 : 0}` };
    }
    const value = given[index];
    if (value === undefined) return undefined;
    if (name === null) {
      if (value !== segment) return undefined;
      rank += '0';
    } else {
      pathParameters[name[1] ?? ''] = decode(value);
      rank += '1';
    }
  }
  if (given.length !== wanted.length) return undefined;
  return { route, pathParameters, rank: `${rank}${routeMethod === 'ANY' ? 1 : 0}` };
}

function segmentsOf(path: string): string[] {
  return path.split('/').slice(1);
}

/** Percent-decodes, and leaves alone what is not well encoded. */
export function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
