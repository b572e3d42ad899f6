import { SCOPES, scopeSchema, SluiceError, tenantSchema, type TokenRecord } from '@sluice/contracts';
import type { Clock } from '../ports/clock.ts';
import type { TokenStore } from '../ports/token-store.ts';
import type { Identity } from './identity.ts';

/** 32 random bytes in base64url behind a prefix that secret scanners can look for. */
const TOKEN = /^slc_[A-Za-z0-9_-]{43}$/;

/** Tokens are random enough that a plain hash of one cannot be turned back. */
export interface TokenHash {
  /** SHA-256 of the text in UTF-8, hex. */
  readonly sha256Hex: (text: string) => string;
}

export interface AuthenticateDeps extends TokenHash {
  readonly tokens: TokenStore;
  readonly clock: Clock;
}

export interface TokenSecret {
  /** 32 bytes from a cryptographic source, in base64url: 43 characters. */
  readonly secret: () => string;
}

export type IssueDeps = AuthenticateDeps & TokenSecret;

/** The token of an `Authorization: Bearer …` header, where it has the form of one. */
export function bearerToken(header: string | undefined): string | undefined {
  const [, token] = /^Bearer +(\S+)$/i.exec(header?.trim() ?? '') ?? [];
  return token !== undefined && TOKEN.test(token) ? token : undefined;
}

/** Who an `Authorization` header stands for; `undefined` when it is malformed, unknown or expired. */
export async function authenticate(deps: AuthenticateDeps, header: string | undefined): Promise<Identity | undefined> {
  const token = bearerToken(header);
  if (token === undefined) return undefined;
  const record = await deps.tokens.find(deps.sha256Hex(token));
  if (!record || (record.expiresAt !== undefined && record.expiresAt <= deps.clock.now())) return undefined;
  return { tenant: record.tenant, scopes: record.scopes };
}

export interface TokenRequest {
  readonly tenant: string;
  readonly scopes: readonly string[];
  /** @default never expires */
  readonly expiresInDays?: number | undefined;
}

/**
 * Makes a token and stores its hash. The token itself is in the answer and nowhere else.
 * @throws SluiceError `bad_request` for what is no tenant, no scope or no time
 */
export async function issueToken(
  deps: IssueDeps,
  request: TokenRequest,
): Promise<{ readonly token: string; readonly record: TokenRecord }> {
  const { expiresInDays } = request;
  const tenant = tenantSchema.safeParse(request.tenant);
  if (!tenant.success) {
    throw new SluiceError('bad_request', `"${request.tenant}" is no tenant: ${tenant.error.issues[0]?.message}`);
  }
  const scopes = request.scopes.map((text) => {
    const scope = scopeSchema.safeParse(text);
    if (!scope.success) throw new SluiceError('bad_request', `"${text}" is no scope; give some of ${SCOPES.join(', ')}`);
    return scope.data;
  });
  if (scopes.length === 0) throw new SluiceError('bad_request', `a token needs a scope; give some of ${SCOPES.join(', ')}`);
  if (expiresInDays !== undefined && !(expiresInDays > 0 && expiresInDays <= 36_500)) {
    throw new SluiceError('bad_request', 'give the days until the token expires as a number above 0, or leave it out');
  }
  const token = `slc_${deps.secret()}`;
  const createdAt = deps.clock.now();
  const record: TokenRecord = {
    v: 1,
    hash: deps.sha256Hex(token),
    tenant: tenant.data,
    scopes: [...new Set(scopes)],
    createdAt,
    ...(expiresInDays !== undefined && { expiresAt: Math.round(createdAt + expiresInDays * 86_400_000) }),
  };
  await deps.tokens.put(record);
  return { token, record };
}
