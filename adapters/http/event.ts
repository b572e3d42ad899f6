import type {
  APIGatewayEventRequestContextV2,
  APIGatewayProxyEventV2WithRequestContext,
  APIGatewayProxyStructuredResultV2,
} from 'aws-lambda';

/** What an authorizer left in the request: our own Lambda authorizer's context, or a SigV4 caller. */
export interface Authorizer {
  readonly lambda?: Readonly<Record<string, unknown>> | null;
  readonly iam?: { readonly userArn?: string } | null;
}

/** A request of an HTTP API, payload format 2.0. */
export type HttpEvent = APIGatewayProxyEventV2WithRequestContext<APIGatewayEventRequestContextV2 & { readonly authorizer?: Authorizer }>;

export type HttpResult = APIGatewayProxyStructuredResultV2;
