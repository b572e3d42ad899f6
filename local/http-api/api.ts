import type { CorsConfiguration } from './cors.ts';

/** The parts of one HTTP API as its template defines them. */
export interface HttpApi {
  id: string;
  name: string;
  stage: string;
  stageVariables: Record<string, string>;
  routes: Map<string, HttpRoute>;
  integrations: Map<string, HttpIntegration>;
  authorizers: Map<string, HttpAuthorizer>;
  cors: CorsConfiguration | undefined;
}

export interface HttpRoute {
  /** `GET /tasks/{id}`, `ANY /{proxy+}` or `$default`. */
  routeKey: string;
  integrationId: string;
  authorization: 'NONE' | 'CUSTOM' | 'AWS_IAM' | 'JWT';
  authorizerId: string | undefined;
}

export interface HttpIntegration {
  functionReference: string;
  timeoutMs: number;
}

export interface HttpAuthorizer {
  functionReference: string;
  /** `$request.header.Authorization`, … Each must be present or the request is refused before the function is asked. */
  identitySources: string[];
  /** Seconds that an answer is kept for the same identity; 0 keeps none. */
  ttlSeconds: number;
}
