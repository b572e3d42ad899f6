import { ROUTES, type RouteName } from '@sluice/contracts';
import { type Duration, RemovalPolicy } from 'aws-cdk-lib';
import {
  HttpApi,
  HttpMethod,
  HttpNoneAuthorizer,
  type HttpStage,
  type IHttpRouteAuthorizer,
  LogGroupLogDestination,
} from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpIamAuthorizer, HttpLambdaAuthorizer, HttpLambdaResponseType } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { acknowledge } from '../acknowledge.ts';
import type { Functions } from '../functions/index.ts';
import { corsOf, type CorsProps } from './cors.ts';

/** The function that answers each route. */
const ANSWERED_BY: Record<RouteName, 'submit' | 'api'> = {
  submit: 'submit',
  submitBatch: 'submit',
  list: 'api',
  get: 'api',
  wait: 'api',
  cancel: 'api',
  retry: 'api',
  listShards: 'api',
  getShards: 'api',
  listSchedules: 'api',
  putSchedule: 'api',
  getSchedule: 'api',
  deleteSchedule: 'api',
  pauseSchedule: 'api',
  resumeSchedule: 'api',
  runSchedule: 'api',
  previewSchedule: 'api',
  previewTimes: 'api',
  listDead: 'api',
  createRedrive: 'api',
  listRedrives: 'api',
  getRedrive: 'api',
  cancelRedrive: 'api',
  pauseRedrive: 'api',
  resumeRedrive: 'api',
  listTokens: 'api',
  createToken: 'api',
  revokeToken: 'api',
  rotateToken: 'api',
  listWebhookSecrets: 'api',
  createWebhookSecret: 'api',
  deleteWebhookSecret: 'api',
  listQuotas: 'api',
  getQuota: 'api',
  putQuota: 'api',
  deleteQuota: 'api',
  heavyHitters: 'api',
  listLanes: 'api',
  getLane: 'api',
  listBreakers: 'api',
  getBreaker: 'api',
  attempt: 'api',
  health: 'api',
  openapi: 'api',
};

export interface ApiProps {
  readonly name: string;
  readonly functions: Functions;
  readonly tokenCacheTtl: Duration;
  readonly requestsPerSecond: number;
  readonly requestBurst: number;
  readonly accessLog: boolean;
  readonly logRetention: RetentionDays;
  readonly cors: CorsProps | undefined;
}

/** Why a route needs no credentials, for those that need none. */
const OPEN: Partial<Record<RouteName, string>> = {
  health: 'Load balancers ask it without credentials, and it tells only a version.',
  openapi: 'It tells what the documentation tells, and nothing of a tenant.',
  attempt: 'Each question is proven by the key of its attempt, which handlers have in place of credentials.',
};

/** The HTTP API, with one route for each of the contracts' `ROUTES`; those of tokens only where callers use tokens. */
export class Api extends Construct {
  readonly httpApi: HttpApi;
  readonly stage: HttpStage;

  constructor(scope: Construct, id: string, props: ApiProps) {
    super(scope, id);
    this.httpApi = new HttpApi(this, 'Http', {
      apiName: props.name,
      createDefaultStage: false,
      ...(props.cors && { corsPreflight: corsOf(props.cors, props.functions.authorizer === undefined) }),
    });
    this.stage = this.#makeStage(props);
    this.#makeRoutes(props);
  }

  /** Where the API is, without a slash at the end. */
  get url(): string {
    return this.httpApi.apiEndpoint;
  }

  #makeStage(props: ApiProps): HttpStage {
    const stage = this.httpApi.addStage('Stage', {
      stageName: '$default',
      autoDeploy: true,
      throttle: { rateLimit: props.requestsPerSecond, burstLimit: props.requestBurst },
      ...(props.accessLog && { accessLogSettings: { destination: new LogGroupLogDestination(this.#makeLog(props)) } }),
    });
    if (!props.accessLog) {
      acknowledge(
        stage,
        'AwsSolutions-APIG1',
        'Every accepted task is a row with its timeline, and a line a call costs more than the call: the prop accessLog turns it on.',
      );
    }
    return stage;
  }

  #makeLog(props: ApiProps): LogGroup {
    return new LogGroup(this, 'AccessLog', { retention: props.logRetention, removalPolicy: RemovalPolicy.DESTROY });
  }

  #makeRoutes(props: ApiProps): void {
    const { functions } = props;
    const integrations = {
      submit: new HttpLambdaIntegration('submit', functions.submit),
      api: new HttpLambdaIntegration('api', functions.api),
    };
    const authorizer = authorizerOf(props);
    for (const name of Object.keys(ROUTES) as RouteName[]) {
      const { method, path, scope } = ROUTES[name];
      if (!functions.authorizer && path.startsWith('/v1/tokens')) continue;
      const routes = this.httpApi.addRoutes({
        path,
        methods: [HttpMethod[method]],
        integration: integrations[ANSWERED_BY[name]],
        authorizer: scope === undefined ? new HttpNoneAuthorizer() : authorizer,
      });
      const reason = scope === undefined ? OPEN[name] : undefined;
      if (reason !== undefined) for (const route of routes) acknowledge(route, 'AwsSolutions-APIG4', reason);
    }
  }
}

/** With API tokens a Lambda authorizer, else SigV4, for which the functions map the caller's role to a tenant. */
function authorizerOf({ name, functions, tokenCacheTtl }: ApiProps): IHttpRouteAuthorizer {
  if (!functions.authorizer) return new HttpIamAuthorizer();
  return new HttpLambdaAuthorizer('Tokens', functions.authorizer, {
    authorizerName: `${name}-tokens`,
    responseTypes: [HttpLambdaResponseType.SIMPLE],
    identitySource: ['$request.header.Authorization'],
    resultsCacheTtl: tokenCacheTtl,
  });
}
