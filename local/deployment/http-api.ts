import { digest } from '../account.ts';
import { textOf, type Json } from '../assembly/template.ts';
import type { HttpApi, HttpRoute } from '../http-api/api.ts';
import { corsConfigurationOf } from '../http-api/cors.ts';
import { attributes, unsupported, type Deployed, type ResourceProvider, type ResourceRequest } from './provider.ts';

/** Gives an API its address: the host's own for the first, another port for the others. */
export type ServeApi = (api: HttpApi) => Promise<string>;

/** HTTP APIs with their routes, Lambda integrations, Lambda authorizers and the `$default` stage. */
export function httpApiProviders(serve: ServeApi): Record<string, ResourceProvider> {
  const apis = new Map<string, HttpApi>();
  const apiOf = (request: ResourceRequest): HttpApi => {
    const api = apis.get(String(request.properties['ApiId']));
    if (api === undefined) throw unsupported(request, 'an API that is not on this host');
    return api;
  };
  /** A part of an API under an id of its own. */
  const part = (request: ResourceRequest, idName: string, put: (api: HttpApi, id: string) => Map<string, unknown>): Deployed => {
    const id = digest(request.id, 7);
    const parts = put(apiOf(request), id);
    return { ref: id, attribute: attributes({ [idName]: id }), remove: () => void parts.delete(id) };
  };
  return {
    'AWS::ApiGatewayV2::Api': async (request) => {
      const { properties } = request;
      if (properties['ProtocolType'] !== 'HTTP') throw unsupported(request, `the protocol ${String(properties['ProtocolType'])}`);
      const id = digest(request.id, 10);
      const api: HttpApi = apis.get(id) ?? {
        id,
        name: String(properties['Name']),
        stage: '$default',
        stageVariables: {},
        routes: new Map(),
        integrations: new Map(),
        authorizers: new Map(),
        cors: undefined,
      };
      api.cors = corsConfigurationOf(properties['CorsConfiguration'] as Json | undefined);
      apis.set(id, api);
      const url = await serve(api);
      return { ref: id, attribute: attributes({ ApiEndpoint: url, ApiId: id }) };
    },
    'AWS::ApiGatewayV2::Stage': (request) => {
      const { properties } = request;
      const name = String(properties['StageName']);
      if (name !== '$default') throw unsupported(request, `the stage ${name} (only $default)`);
      apiOf(request).stageVariables = (properties['StageVariables'] ?? {}) as Record<string, string>;
      return { ref: name, attribute: attributes({}) };
    },
    'AWS::ApiGatewayV2::Route': (request) =>
      part(request, 'RouteId', (api, id) => {
        const { properties } = request;
        const route: HttpRoute = {
          routeKey: String(properties['RouteKey']),
          integrationId: textOf(properties['Target']).replace(/^integrations\//, ''),
          authorization: textOf(properties['AuthorizationType'], 'NONE') as HttpRoute['authorization'],
          authorizerId: properties['AuthorizerId'] === undefined ? undefined : textOf(properties['AuthorizerId']),
        };
        return api.routes.set(id, route);
      }),
    'AWS::ApiGatewayV2::Integration': (request) =>
      part(request, 'IntegrationId', (api, id) => {
        const { properties } = request;
        const type = String(properties['IntegrationType']);
        if (type !== 'AWS_PROXY') throw unsupported(request, `the integration type ${type}`);
        if (properties['IntegrationSubtype'] !== undefined) throw unsupported(request, 'IntegrationSubtype');
        if (properties['PayloadFormatVersion'] !== '2.0') throw unsupported(request, 'a payload format other than 2.0');
        return api.integrations.set(id, {
          functionReference: functionIn(String(properties['IntegrationUri'])),
          timeoutMs: Number(properties['TimeoutInMillis'] ?? 30_000),
        });
      }),
    'AWS::ApiGatewayV2::Authorizer': (request) =>
      part(request, 'AuthorizerId', (api, id) => {
        const { properties } = request;
        const type = String(properties['AuthorizerType']);
        if (type !== 'REQUEST') throw unsupported(request, `the authorizer type ${type}`);
        if (properties['EnableSimpleResponses'] !== true) throw unsupported(request, 'an authorizer without simple responses');
        return api.authorizers.set(id, {
          functionReference: functionIn(String(properties['AuthorizerUri'])),
          identitySources: [(properties['IdentitySource'] as string[] | string | undefined) ?? []].flat(),
          ttlSeconds: Number(properties['AuthorizerResultTtlInSeconds'] ?? 300),
        });
      }),
  };
}

/** The function ARN in an API Gateway URI, or the ARN itself. */
function functionIn(uri: string): string {
  return /functions\/(.+)\/invocations/.exec(uri)?.[1] ?? uri;
}
