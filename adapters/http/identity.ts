import { scopeSchema, SluiceError, tenantSchema } from '@sluice/contracts';
import type { Identity } from '../../core/auth/identity.ts';
import { identifyPrincipal } from '../../core/auth/principal.ts';
import type { TokenStore } from '../../core/ports/token-store.ts';
import type { Authorizer } from './event.ts';

/** The context of the Lambda authorizer's answer: values are strings, as API Gateway caches and passes them on. */
export interface AuthorizerContext {
  readonly tenant: string;
  /** Separated by commas. */
  readonly scopes: string;
}

export function contextOf(identity: Identity): AuthorizerContext {
  return { tenant: identity.tenant, scopes: identity.scopes.join(',') };
}

/**
 * Who a request is from. Only what the gateway itself has put into the request counts, never a header.
 * @throws SluiceError `unauthorized` without credentials, `forbidden` for a principal of no tenant
 */
export async function identify(tokens: Pick<TokenStore, 'findPrincipal'>, authorizer: Authorizer | undefined): Promise<Identity> {
  if (authorizer?.lambda) return identityOf(authorizer.lambda);
  if (authorizer?.iam?.userArn) return identifyPrincipal(tokens, authorizer.iam.userArn);
  throw unauthorized();
}

function identityOf({ tenant, scopes }: Readonly<Record<string, unknown>>): Identity {
  const name = tenantSchema.safeParse(tenant);
  const list = scopeSchema
    .array()
    .min(1)
    .safeParse(typeof scopes === 'string' ? scopes.split(',') : scopes);
  if (!name.success || !list.success) throw unauthorized();
  return { tenant: name.data, scopes: list.data };
}

function unauthorized(): SluiceError {
  return new SluiceError('unauthorized', 'this call needs credentials: send "Authorization: Bearer <token>", or sign it with SigV4');
}
