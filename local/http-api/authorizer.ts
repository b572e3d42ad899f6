import { arnOf } from '../account.ts';
import { textOf } from '../assembly/template.ts';
import type { LambdaService } from '../lambda/service.ts';
import type { HttpApi, HttpAuthorizer } from './api.ts';
import type { RequestParts } from './event.ts';

export type Authorization = { kind: 'allowed'; context: unknown } | { kind: 'unauthorized' } | { kind: 'forbidden' } | { kind: 'failed' };

/** Answers that one authorizer keeps, the oldest dropped first. */
const MAX_CACHED = 10_000;

/**
 * Asks Lambda authorizers (type REQUEST, payload 2.0, simple responses) and keeps their answers per identity.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html
 */
export class Authorizers {
  private readonly service: LambdaService;
  private readonly now: () => number;
  private readonly caches = new WeakMap<HttpAuthorizer, Map<string, { until: number; answer: Authorization }>>();

  constructor(service: LambdaService, now: () => number = Date.now) {
    this.service = service;
    this.now = now;
  }

  async authorize(api: HttpApi, authorizer: HttpAuthorizer, routeKey: string, parts: RequestParts): Promise<Authorization> {
    const identity = authorizer.identitySources.map((source) => identityOf(source, parts, api));
    if (identity.some((value) => value === undefined || value === '')) return { kind: 'unauthorized' };
    const key = JSON.stringify(identity);
    const isCached = authorizer.ttlSeconds > 0 && identity.length > 0;
    const cache = this.cacheOf(authorizer);
    const kept = isCached ? cache.get(key) : undefined;
    if (kept !== undefined && kept.until > this.now()) return kept.answer;
    const answer = await this.ask(api, authorizer, routeKey, parts, identity as string[]);
    if (isCached && answer.kind !== 'failed') {
      cache.delete(key);
      cache.set(key, { until: this.now() + authorizer.ttlSeconds * 1000, answer });
      const oldest = cache.keys().next().value;
      if (cache.size > MAX_CACHED && oldest !== undefined) cache.delete(oldest);
    }
    return answer;
  }

  private cacheOf(authorizer: HttpAuthorizer): Map<string, { until: number; answer: Authorization }> {
    const existing = this.caches.get(authorizer);
    if (existing !== undefined) return existing;
    const created = new Map<string, { until: number; answer: Authorization }>();
    this.caches.set(authorizer, created);
    return created;
  }

  private async ask(
    api: HttpApi,
    authorizer: HttpAuthorizer,
    routeKey: string,
    parts: RequestParts,
    identity: string[],
  ): Promise<Authorization> {
    const target = this.service.find(authorizer.functionReference);
    if (target === undefined) return { kind: 'failed' };
    const { method } = parts.requestContext['http'] as { method: string };
    const event = {
      version: '2.0',
      type: 'REQUEST',
      routeArn: arnOf('execute-api', `${api.id}/${api.stage}/${method}${parts.rawPath}`),
      identitySource: identity,
      routeKey,
      ...parts,
    };
    const outcome = await this.service.invoke(target, JSON.stringify(event));
    if (outcome.kind === 'throttled' || outcome.functionError !== undefined) return { kind: 'failed' };
    const answer = JSON.parse(outcome.payload) as { isAuthorized?: unknown; context?: unknown } | null;
    if (typeof answer?.isAuthorized !== 'boolean') return { kind: 'failed' };
    return answer.isAuthorized ? { kind: 'allowed', context: answer.context ?? {} } : { kind: 'forbidden' };
  }
}

function identityOf(source: string, parts: RequestParts, api: HttpApi): string | undefined {
  const [root, kind, ...rest] = source.split('.');
  const name = rest.join('.');
  if (root === '$request' && kind === 'header') return parts.headers[name.toLowerCase()];
  if (root === '$request' && kind === 'querystring') return parts.queryStringParameters?.[name];
  if (root === '$stageVariables') return api.stageVariables[kind ?? ''];
  if (root === '$context') {
    const value = [kind, ...rest].reduce<unknown>(
      (object, key) => (object as Record<string, unknown> | undefined)?.[key ?? ''],
      parts.requestContext,
    );
    return value === undefined ? undefined : textOf(value);
  }
  return undefined;
}
