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

/** The function that answers each route. */
const ANSWERED_BY: Record<RouteName, 'submit' | 'api'> = {
  submit: 'submit',
  submitBatch: 'submit',
  get: 'api',
  wait: 'api',
  health: 'api',
};

export interface ApiProps {
  readonly name: string;
  readonly functions: Functions;
  readonly tokenCacheTtl: Duration;
  readonly requestsPerSecond: number;
  readonly requestBurst: number;
  readonly accessLog: boolean;
  readonly logRetention: RetentionDays;
}

/** The HTTP API, with one route for each of the contracts' `ROUTES`. */
export class Api extends Construct {
  readonly httpApi: HttpApi;
  readonly stage: HttpStage;

  constructor(scope: Construct, id: string, props: ApiProps) {
    super(scope, id);
    this.httpApi = new HttpApi(this, 'Http', { apiName: props.name, createDefaultStage: false });
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
      const routes = this.httpApi.addRoutes({
        path,
        methods: [HttpMethod[method]],
        integration: integrations[ANSWERED_BY[name]],
        authorizer: scope === undefined ? new HttpNoneAuthorizer() : authorizer,
      });
      if (scope !== undefined) continue;
      for (const route of routes) {
        acknowledge(route, 'AwsSolutions-APIG4', 'Load balancers ask it without credentials, and it tells only a version.');
      }
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
