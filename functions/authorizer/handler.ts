import type { APIGatewayRequestAuthorizerEventV2 } from 'aws-lambda';
import { contextOf, type AuthorizerContext } from '../../adapters/http/identity.ts';
import { authenticate, type AuthenticateDeps } from '../../core/auth/authenticate.ts';
import type { Telemetry } from '../../core/ports/telemetry.ts';

export interface AuthorizerDeps extends AuthenticateDeps {
  readonly telemetry: Telemetry;
}

/** A simple response of payload format 2.0. The gateway caches it by the header, for refusals too. */
export interface AuthorizerResult {
  readonly isAuthorized: boolean;
  readonly context?: AuthorizerContext;
}

/** Turns a token into its tenant and scopes; which scope a call needs is the matter of the function behind. */
export function createHandler(deps: AuthorizerDeps): (event: APIGatewayRequestAuthorizerEventV2) => Promise<AuthorizerResult> {
  return async ({ identitySource, headers }) => {
    const identity = await authenticate(deps, identitySource?.[0] ?? headers?.['authorization']);
    if (identity) return { isAuthorized: true, context: contextOf(identity) };
    // Neither the token nor its hash is logged.
    deps.telemetry.count('authorizer.refused', undefined);
    return { isAuthorized: false };
  };
}
