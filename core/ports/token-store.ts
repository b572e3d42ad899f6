import type { PrincipalRecord, TokenRecord } from '@sluice/contracts';

/** API tokens, by the hash of the token, and AWS principals, by ARN: the two places a tenant comes from. */
export interface TokenStore {
  readonly find: (hash: string) => Promise<TokenRecord | undefined>;
  readonly put: (record: TokenRecord) => Promise<void>;
  readonly remove: (hash: string) => Promise<void>;
  readonly findPrincipal: (arn: string) => Promise<PrincipalRecord | undefined>;
  readonly putPrincipal: (record: PrincipalRecord) => Promise<void>;
}
