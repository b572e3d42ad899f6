import {
  limitMessage,
  LIMITS,
  SCOPES,
  scopeSchema,
  SluiceError,
  tenantSchema,
  tokenNameSchema,
  type Scope,
  type TokenRecord,
} from '@sluice/contracts';
import type { AuthenticateDeps, TokenSecret } from './authenticate.ts';
import { isLive, tokenIdOf } from './token-record.ts';

export type IssueDeps = AuthenticateDeps & TokenSecret;

export interface IssueRequest {
  readonly tenant: string;
  readonly scopes: readonly string[];
  readonly name?: string | undefined;
  /** @default never expires */
  readonly expiresInDays?: number | undefined;
}

export interface Issued {
  /** Shown this once: it is not kept anywhere. */
  readonly token: string;
  readonly record: TokenRecord;
}

/** What a token is to be, checked. */
export interface TokenTerms {
  readonly tenant: string;
  readonly scopes: readonly Scope[];
  readonly name: string | undefined;
  /** ms until it expires; `undefined` for never. */
  readonly lifetime: number | undefined;
}

const DAY_MS = 86_400_000;

/**
 * Makes a token for a tenant and keeps its hash.
 * @throws SluiceError `bad_request`; `too_many_tokens` for a tenant that has its {@link LIMITS.tokens}
 */
export async function issueToken(deps: IssueDeps, request: IssueRequest): Promise<Issued> {
  return issue(deps, termsOf(request), LIMITS.tokens);
}

function termsOf(request: IssueRequest): TokenTerms {
  const { expiresInDays } = request;
  const tenant = tenantSchema.safeParse(request.tenant, { error: limitMessage });
  if (!tenant.success) {
    throw new SluiceError('bad_request', `"${request.tenant}" is no tenant: ${tenant.error.issues[0]?.message}`);
  }
  const scopes = request.scopes.map((text) => {
    const scope = scopeSchema.safeParse(text);
    if (!scope.success) throw new SluiceError('bad_request', `"${text}" is no scope; give some of ${SCOPES.join(', ')}`);
    return scope.data;
  });
  if (scopes.length === 0) throw new SluiceError('bad_request', `a token needs a scope; give some of ${SCOPES.join(', ')}`);
  if (request.name !== undefined && !tokenNameSchema.safeParse(request.name).success) {
    throw new SluiceError(
      'bad_request',
      `a token's name has 1 to ${LIMITS.tokenNameLength} characters; this one has ${request.name.length}: give another`,
    );
  }
  if (expiresInDays !== undefined && !(expiresInDays > 0 && expiresInDays <= LIMITS.tokenDays)) {
    throw new SluiceError(
      'bad_request',
      `a token expires in ${expiresInDays} days; give a number above 0 and up to ${LIMITS.tokenDays}, or leave it out`,
    );
  }
  return {
    tenant: tenant.data,
    scopes: [...new Set(scopes)],
    name: request.name,
    lifetime: expiresInDays === undefined ? undefined : Math.round(expiresInDays * DAY_MS),
  };
}

/**
 * Makes a token, its directory entry first: a token that works can always be found and revoked.
 * @param limit tokens that the tenant may have with this one
 * @throws SluiceError `too_many_tokens`; `unavailable`, also when it was revoked before it was ready
 */
export async function issue(deps: IssueDeps, terms: TokenTerms, limit: number): Promise<Issued> {
  const { tenant, scopes, name, lifetime } = terms;
  const token = `slc_${deps.secret()}`;
  const createdAt = deps.clock.now();
  const record: TokenRecord = {
    v: 1,
    hash: deps.sha256Hex(token),
    tenant,
    scopes: [...scopes],
    createdAt,
    ...(name !== undefined && { name }),
    ...(lifetime !== undefined && { expiresAt: createdAt + lifetime }),
  };
  await makeRoom(deps, record, limit);
  await deps.tokens.note(record);
  await deps.tokens.put(record);
  if (!(await deps.tokens.lookUp(tenant, tokenIdOf(record.hash)))) {
    // Revoked from the directory before there was anything to revoke.
    await deps.tokens.remove(record.hash);
    throw new SluiceError('unavailable', 'the token was revoked while it was made; make another');
  }
  return { token, record };
}

/** Two at once may both find the last place free: the limit keeps a directory small, no more. */
async function makeRoom(deps: IssueDeps, { tenant, hash, createdAt }: TokenRecord, limit: number): Promise<void> {
  const others = (await deps.tokens.noted(tenant)).filter((other) => other.hash !== hash);
  const expired = others.filter((other) => !isLive(other, createdAt));
  await Promise.all(expired.map((other) => deps.tokens.forget(tenant, tokenIdOf(other.hash))));
  const tokens = others.length - expired.length;
  if (tokens < limit) return;
  throw new SluiceError(
    'too_many_tokens',
    `tenant ${tenant} has ${tokens} API tokens of at most ${limit}; revoke those that are not used`,
    {
      details: { tokens, limit },
    },
  );
}
