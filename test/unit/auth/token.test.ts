import type { APIGatewayRequestAuthorizerEventV2 } from 'aws-lambda';
import { describe, expect, it } from 'vitest';
import { createMemoryClock, createMemoryTelemetry, createMemoryTokenStore } from '../../../adapters/memory/index.ts';
import { systemTokens } from '../../../adapters/system.ts';
import { allows } from '../../../core/auth/identity.ts';
import { principalArn } from '../../../core/auth/principal.ts';
import { issueToken } from '../../../core/auth/token.ts';
import { bearerToken } from '../../../core/auth/authenticate.ts';
import { createHandler } from '../../../functions/authorizer/handler.ts';

const TOKEN = `slc_${'aB3_-'.repeat(9).slice(0, 43)}`;

function platform() {
  const telemetry = createMemoryTelemetry();
  const deps = { tokens: createMemoryTokenStore(), clock: createMemoryClock(), telemetry, ...systemTokens };
  const handler = createHandler(deps);
  const event = (authorization: string | undefined) =>
    ({
      version: '2.0',
      type: 'REQUEST',
      identitySource: authorization === undefined ? [] : [authorization],
      headers: {},
    }) as unknown as APIGatewayRequestAuthorizerEventV2;
  return { deps, telemetry, authorize: (authorization: string | undefined) => handler(event(authorization)) };
}

describe('the authorizer', () => {
  it('turns a token into its tenant and scopes', async () => {
    const { deps, authorize } = platform();
    const { token, record } = await issueToken(deps, { tenant: 'acme', scopes: ['submit', 'read', 'read'] });
    expect(token).toMatch(/^slc_[A-Za-z0-9_-]{43}$/);
    expect(JSON.stringify(record)).not.toContain(token);
    expect(record.hash).toMatch(/^[0-9a-f]{64}$/);
    expect(await authorize(`Bearer ${token}`)).toEqual({ isAuthorized: true, context: { tenant: 'acme', scopes: 'submit,read' } });
  });

  it('refuses a token from the instant that it expires', async () => {
    const { deps, authorize } = platform();
    const { token } = await issueToken(deps, { tenant: 'acme', scopes: ['read'], expiresInDays: 1 });
    deps.clock.advance(86_399_999);
    expect((await authorize(`Bearer ${token}`)).isAuthorized).toBe(true);
    deps.clock.advance(1);
    expect(await authorize(`Bearer ${token}`)).toEqual({ isAuthorized: false });
  });

  it('refuses what was removed, what is unknown, and what is no token', async () => {
    const { deps, authorize, telemetry } = platform();
    const { token, record } = await issueToken(deps, { tenant: 'acme', scopes: ['read'] });
    await deps.tokens.remove(record.hash);
    const headers = [`Bearer ${token}`, `Bearer ${TOKEN}`, token, `Basic ${token}`, 'Bearer', '', undefined, `Bearer ${record.hash}`];
    for (const header of headers) expect(await authorize(header)).toEqual({ isAuthorized: false });
    expect(telemetry.total('authorizer.refused')).toBe(headers.length);
    expect(telemetry.lines()).toEqual([]);
  });

  it('does not look up what has not the form of a token', async () => {
    const { deps } = platform();
    const find = () => {
      throw new Error('looked up');
    };
    const handler = createHandler({ ...deps, tokens: { ...deps.tokens, find } });
    expect(await handler({ identitySource: ['Bearer x'] } as unknown as APIGatewayRequestAuthorizerEventV2)).toEqual({
      isAuthorized: false,
    });
  });
});

describe('bearerToken', () => {
  it.each([
    [`Bearer ${TOKEN}`, TOKEN],
    [`bearer   ${TOKEN} `, TOKEN],
    [`Bearer ${TOKEN}x`, undefined],
    [`Bearer ${TOKEN} ${TOKEN}`, undefined],
    [`Bearer ${TOKEN.slice(0, -1)}`, undefined],
    [`Bearer ${TOKEN.replace('slc_', 'SLC_')}`, undefined],
    [undefined, undefined],
  ])('of %j is %j', (header, token) => {
    expect(bearerToken(header)).toBe(token);
  });
});

describe('issueToken', () => {
  it.each([
    [{ tenant: 'Acme', scopes: ['read'] }, '"Acme" is no tenant'],
    [{ tenant: 'acme', scopes: ['write'] }, '"write" is no scope; give some of submit, read, operate, admin, platform'],
    [{ tenant: 'acme', scopes: [] }, 'a token needs a scope'],
    [{ tenant: 'acme', scopes: ['read'], expiresInDays: 0 }, 'days'],
    [{ tenant: 'acme', scopes: ['read'], expiresInDays: Number.NaN }, 'days'],
    [{ tenant: 'acme', scopes: ['read'], expiresInDays: 36_501 }, 'up to 36500'],
    [{ tenant: 'acme', scopes: ['read'], name: '' }, '1 to 64 characters'],
  ])('refuses %j', async (tokenRequest, message) => {
    await expect(issueToken(platform().deps, tokenRequest)).rejects.toThrow(message);
  });
});

it('includes every scope in admin, and none in another', () => {
  expect(allows(['admin'], 'submit')).toBe(true);
  expect(allows(['operate'], 'read')).toBe(false);
  expect(allows(['submit'], 'admin')).toBe(false);
  expect(allows(['admin'], 'platform')).toBe(false);
  expect(allows(['platform'], 'platform')).toBe(true);
  expect(allows(['platform'], 'read')).toBe(false);
});

it.each([
  ['arn:aws:sts::123:assumed-role/worker/i-0abc', 'arn:aws:iam::123:role/worker'],
  ['arn:aws-cn:sts::123:assumed-role/worker/name@example.com', 'arn:aws-cn:iam::123:role/worker'],
  ['arn:aws:iam::123:user/team/jo', 'arn:aws:iam::123:user/team/jo'],
])('knows the caller %s as %s', (caller, arn) => {
  expect(principalArn(caller)).toBe(arn);
});
