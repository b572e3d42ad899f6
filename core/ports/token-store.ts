import type { PrincipalRecord, TokenRecord } from '@sluice/contracts';

/**
 * API tokens, by the hash of the token, and AWS principals, by ARN: the two places a tenant comes from. Beside them a
 * directory of each tenant's tokens, by which they are managed and never authenticated. What has expired may be gone
 * from both. Reads are consistent; every method throws when its answer is unknown, and may be repeated.
 */
export interface TokenStore {
  readonly find: (hash: string) => Promise<TokenRecord | undefined>;
  readonly put: (record: TokenRecord) => Promise<void>;
  readonly remove: (hash: string) => Promise<void>;
  /** The directory of a tenant, in no order. */
  readonly noted: (tenant: string) => Promise<readonly TokenRecord[]>;
  /** An entry of a tenant's directory, by the token's id. */
  readonly lookUp: (tenant: string, id: string) => Promise<TokenRecord | undefined>;
  /** Puts a token into its tenant's directory. */
  readonly note: (record: TokenRecord) => Promise<void>;
  /** The names of all tenants that a token was ever noted of, in no order. */
  readonly tenants: () => Promise<readonly string[]>;
  readonly forget: (tenant: string, id: string) => Promise<void>;
  /** Writes a token anew in both places, in each only if it is still there: one that was revoked stays so. */
  readonly renew: (record: TokenRecord) => Promise<void>;
  readonly findPrincipal: (arn: string) => Promise<PrincipalRecord | undefined>;
  readonly putPrincipal: (record: PrincipalRecord) => Promise<void>;
}
