import type { Clock } from '../ports/clock.ts';
import type { TokenStore } from '../ports/token-store.ts';
import type { Identity } from './identity.ts';
import { isLive } from './token-record.ts';

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
  if (!record || !isLive(record, deps.clock.now())) return undefined;
  return { tenant: record.tenant, scopes: record.scopes };
}
