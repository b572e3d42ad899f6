import {
  LIMITS,
  SluiceError,
  tokenIdSchema,
  type IssuedToken,
  type RotateRequest,
  type TokenRecord,
  type TokenRequest,
  type TokenView,
} from '@sluice/contracts';
import type { Telemetry } from '../ports/telemetry.ts';
import { isLive, tokenIdOf } from './token-record.ts';
import { issue, issueToken, type Issued, type IssueDeps } from './token.ts';

export interface ManageDeps extends IssueDeps {
  readonly telemetry: Telemetry;
  /** Whether tokens with the scope `platform` may be replaced. @default false */
  readonly mayRotatePlatform?: boolean;
}

const GRACE_SECONDS = 3_600;

/** A tenant's tokens, the newest first, without those that have expired. */
export async function listTokens(deps: ManageDeps, tenant: string): Promise<readonly TokenView[]> {
  const now = deps.clock.now();
  const live = (await deps.tokens.noted(tenant)).filter((record) => isLive(record, now));
  return live.sort((a, b) => b.createdAt - a.createdAt).map(toTokenView);
}

/** @throws SluiceError `bad_request`, `too_many_tokens` */
export async function createToken(deps: ManageDeps, tenant: string, request: TokenRequest): Promise<IssuedToken> {
  return told(deps, 'token created', await issueToken(deps, { ...request, tenant }));
}

/**
 * Revokes a token of this tenant. The API still takes it for as long as the gateway remembers it: the platform's prop
 * `tokenCacheTtl`, 60 s by default.
 * @throws SluiceError `not_found`
 */
export async function revokeToken(deps: ManageDeps, tenant: string, id: string): Promise<void> {
  const { hash } = await tokenOf(deps, tenant, id);
  // From where it works first: when the rest fails, the entry is there to revoke it by again.
  await deps.tokens.remove(hash);
  await deps.tokens.forget(tenant, id);
  // One that was just being made has looked for its entry after it came to work, or comes before this.
  await deps.tokens.remove(hash);
  deps.telemetry.log('info', 'token revoked', { tenant, token: id });
}

/**
 * Replaces a token of this tenant by one with the same scopes, name and lifetime; the old one works on for the grace
 * time, or until its own expiry if that is sooner. Each call makes another token. A tenant may have twice the usual
 * number of tokens by this, so that all can be rotated at once.
 * @throws SluiceError `not_found`, `too_many_tokens`, `forbidden`
 */
export async function rotateToken(deps: ManageDeps, tenant: string, id: string, request: RotateRequest = {}): Promise<IssuedToken> {
  const old = await tokenOf(deps, tenant, id);
  if (old.scopes.includes('platform') && !deps.mayRotatePlatform) {
    throw new SluiceError('forbidden', `token ${id} has the scope "platform", which a tenant cannot give; rotate it with "npm run token"`);
  }
  // Of one that was rotated before, the expiry tells only its grace time.
  const lifetime = old.lifetime ?? (old.expiresAt === undefined ? 0 : old.expiresAt - old.createdAt);
  const { scopes, name } = old;
  const issued = await issue(deps, { tenant, scopes, name, lifetime: lifetime === 0 ? undefined : lifetime }, 2 * LIMITS.tokens);
  const end = deps.clock.now() + (request.graceSeconds ?? GRACE_SECONDS) * 1_000;
  if (isLive(old, end)) await deps.tokens.renew({ ...old, lifetime, expiresAt: end });
  return told(deps, 'token rotated', issued, { replaces: id });
}

/**
 * The tenant is part of an entry's key: another tenant's id is as unknown as one that never was, after the same read.
 * @throws SluiceError `not_found`
 */
async function tokenOf(deps: ManageDeps, tenant: string, id: string): Promise<TokenRecord> {
  const record = tokenIdSchema.safeParse(id).success ? await deps.tokens.lookUp(tenant, id) : undefined;
  if (record && isLive(record, deps.clock.now())) return record;
  throw new SluiceError('not_found', `there is no token "${id.slice(0, 100)}"; it never was, or it has been revoked or has expired`);
}

function told(deps: ManageDeps, what: string, { token, record }: Issued, fields: Record<string, unknown> = {}): IssuedToken {
  const view = toTokenView(record);
  deps.telemetry.log('info', what, { tenant: record.tenant, token: view.id, ...fields });
  return { ...view, token };
}

function toTokenView({ hash, name, scopes, createdAt, expiresAt }: TokenRecord): TokenView {
  return {
    id: tokenIdOf(hash),
    ...(name !== undefined && { name }),
    scopes,
    createdAt: new Date(createdAt).toISOString(),
    ...(expiresAt !== undefined && { expiresAt: new Date(expiresAt).toISOString() }),
  };
}
