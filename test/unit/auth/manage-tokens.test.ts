import { LIMITS, type Scope, type TokenRequest } from '@sluice/contracts';
import { describe, expect, it } from 'vitest';
import { createMemoryClock, createMemoryTelemetry, createMemoryTokenStore } from '../../../adapters/memory/index.ts';
import { systemTokens } from '../../../adapters/system.ts';
import { authenticate } from '../../../core/auth/authenticate.ts';
import { createToken, listTokens, revokeToken, rotateToken, type ManageDeps } from '../../../core/auth/manage-tokens.ts';
import { tokenIdOf } from '../../../core/auth/token-record.ts';
import { issueToken } from '../../../core/auth/token.ts';
import type { TokenStore } from '../../../core/ports/token-store.ts';

const DAY_MS = 86_400_000;
const READ: TokenRequest = { scopes: ['read'] };

function platform() {
  const clock = createMemoryClock();
  const telemetry = createMemoryTelemetry();
  const deps = { tokens: createMemoryTokenStore(), clock, telemetry, ...systemTokens };
  const works = async (token: string): Promise<boolean> => (await authenticate(deps, `Bearer ${token}`)) !== undefined;
  return { clock, telemetry, deps, works };
}

/** The store, with one method that fails so many times. */
function failing(tokens: TokenStore, method: keyof TokenStore, times = 1): TokenStore {
  let left = times;
  const fails = async () => {
    throw new Error('lost');
  };
  const original = tokens[method] as (...args: unknown[]) => unknown;
  return { ...tokens, [method]: (...args: unknown[]) => (left-- > 0 ? fails() : original(...args)) };
}

describe('a new token', () => {
  it('works, and is in the list of its tenant alone, without its text', async () => {
    const { deps, works } = platform();
    const made = await createToken(deps, 'acme', { scopes: ['submit', 'read'], name: 'checkout', expiresInDays: 1 });
    expect(await works(made.token)).toBe(true);
    expect(made.id).toBe(tokenIdOf(systemTokens.sha256Hex(made.token)));
    const { token, ...view } = made;
    expect(await listTokens(deps, 'acme')).toEqual([view]);
    expect(JSON.stringify(await listTokens(deps, 'acme'))).not.toContain(token);
    expect(await listTokens(deps, 'acme-2')).toEqual([]);
    expect(view).toMatchObject({ name: 'checkout', scopes: ['submit', 'read'] });
  });

  it('is listed before older ones, and no more when it has expired', async () => {
    const { deps, clock } = platform();
    const short = await createToken(deps, 'acme', { ...READ, expiresInDays: 1 });
    clock.advance(1);
    const long = await createToken(deps, 'acme', READ);
    expect((await listTokens(deps, 'acme')).map(({ id }) => id)).toEqual([long.id, short.id]);
    clock.advance(DAY_MS - 1);
    expect((await listTokens(deps, 'acme')).map(({ id }) => id)).toEqual([long.id]);
  });

  it('is refused beyond the limit, which expired ones do not count for', async () => {
    const { deps, clock } = platform();
    for (let n = 0; n < LIMITS.tokens; n++) await createToken(deps, 'acme', { ...READ, expiresInDays: n === 0 ? 1 : 2 });
    await expect(createToken(deps, 'acme', READ)).rejects.toMatchObject({
      code: 'too_many_tokens',
      message: expect.stringContaining(`${LIMITS.tokens} API tokens`),
    });
    await createToken(deps, 'acme-2', READ);
    clock.advance(DAY_MS);
    await createToken(deps, 'acme', { ...READ, expiresInDays: 1 });
    clock.advance(DAY_MS);
    await createToken(deps, 'acme', READ);
    expect(await deps.tokens.noted('acme')).toHaveLength(1);
  });

  it('that was revoked before it was ready is not left working', async () => {
    const { deps } = platform();
    const put: TokenStore['put'] = async (record) => {
      await revokeToken(deps, 'acme', tokenIdOf(record.hash));
      await deps.tokens.put(record);
    };
    let hash = '';
    const sha256Hex = (text: string) => (hash = systemTokens.sha256Hex(text));
    await expect(createToken({ ...deps, tokens: { ...deps.tokens, put }, sha256Hex }, 'acme', READ)).rejects.toMatchObject({
      code: 'unavailable',
    });
    expect(await deps.tokens.find(hash)).toBeUndefined();
  });

  it('of which only the entry was written can be revoked', async () => {
    const { deps } = platform();
    await expect(createToken({ ...deps, tokens: failing(deps.tokens, 'put') }, 'acme', READ)).rejects.toThrow('lost');
    const [entry] = await listTokens(deps, 'acme');
    await revokeToken(deps, 'acme', entry?.id ?? '');
    expect(await listTokens(deps, 'acme')).toEqual([]);
  });
});

describe('a revoked token', () => {
  it('is refused and gone from the list; revoking it again does not find it', async () => {
    const { deps, works } = platform();
    const { id, token } = await createToken(deps, 'acme', READ);
    await revokeToken(deps, 'acme', id);
    expect(await works(token)).toBe(false);
    expect(await listTokens(deps, 'acme')).toEqual([]);
    await expect(revokeToken(deps, 'acme', id)).rejects.toMatchObject({ code: 'not_found' });
  });

  it.each([
    ['remove', true],
    ['forget', false],
  ] as const)('is one after a repeat when %s failed', async (method, stillWorks) => {
    const { deps, works } = platform();
    const { id, token } = await createToken(deps, 'acme', READ);
    await expect(revokeToken({ ...deps, tokens: failing(deps.tokens, method) }, 'acme', id)).rejects.toThrow('lost');
    expect(await works(token)).toBe(stillWorks);
    expect(await listTokens(deps, 'acme')).toHaveLength(1);
    await revokeToken(deps, 'acme', id);
    expect(await works(token)).toBe(false);
  });
});

describe('a rotated token', () => {
  it('works for its grace time beside its successor, which has its scopes, name and lifetime', async () => {
    const { deps, clock, works } = platform();
    const old = await createToken(deps, 'acme', { scopes: ['operate'], name: 'ci', expiresInDays: 10 });
    clock.advance(DAY_MS);
    const fresh = await rotateToken(deps, 'acme', old.id, { graceSeconds: 60 });
    const expiresAt = new Date(clock.now() + 10 * DAY_MS).toISOString();
    expect(fresh).toMatchObject({ scopes: ['operate'], name: 'ci', expiresAt });
    expect(await listTokens(deps, 'acme')).toMatchObject([{ id: fresh.id }, { id: old.id }]);
    clock.advance(59_999);
    expect([await works(old.token), await works(fresh.token)]).toEqual([true, true]);
    clock.advance(1);
    expect([await works(old.token), await works(fresh.token)]).toEqual([false, true]);
  });

  it('works for an hour by default, not at all longer without grace, and never longer than it would have', async () => {
    const { deps, clock } = platform();
    const until = async (expiresInDays: number | undefined, graceSeconds?: number): Promise<number> => {
      const { id } = await createToken(deps, 'acme', { ...READ, expiresInDays });
      await rotateToken(deps, 'acme', id, { graceSeconds });
      const { expiresAt } = (await deps.tokens.lookUp('acme', id)) ?? {};
      return (expiresAt ?? Infinity) - clock.now();
    };
    expect(await until(undefined)).toBe(3_600_000);
    expect(await until(undefined, 0)).toBe(0);
    expect(await until(1, 2 * 86_400)).toBe(DAY_MS);
  });

  it.each([undefined, 10])('passes its own lifetime on when it is rotated once more: %s days', async (expiresInDays) => {
    const { deps, clock } = platform();
    const { id } = await createToken(deps, 'acme', { ...READ, expiresInDays });
    await rotateToken(deps, 'acme', id);
    clock.advance(1_000);
    const second = await rotateToken(deps, 'acme', id);
    expect(second.expiresAt).toBe(expiresInDays && new Date(clock.now() + expiresInDays * DAY_MS).toISOString());
  });

  it('that was revoked meanwhile stays revoked', async () => {
    const { deps, works } = platform();
    const old = await createToken(deps, 'acme', READ);
    const renew: TokenStore['renew'] = async (record) => {
      await revokeToken(deps, 'acme', old.id);
      await deps.tokens.renew(record);
    };
    const fresh = await rotateToken({ ...deps, tokens: { ...deps.tokens, renew } }, 'acme', old.id);
    expect([await works(old.token), await works(fresh.token)]).toEqual([false, true]);
    expect((await listTokens(deps, 'acme')).map(({ id }) => id)).toEqual([fresh.id]);
  });

  it('may be any of as many as a tenant has, all at once', async () => {
    const { deps } = platform();
    for (let n = 0; n < LIMITS.tokens; n++) await createToken(deps, 'acme', READ);
    for (const { id } of await listTokens(deps, 'acme')) await rotateToken(deps, 'acme', id);
    const [{ id = '' } = {}] = await listTokens(deps, 'acme');
    await expect(rotateToken(deps, 'acme', id)).rejects.toMatchObject({ code: 'too_many_tokens' });
  });
});

describe('another tenant', () => {
  const reads = (deps: ManageDeps): { readonly seen: string[]; readonly deps: ManageDeps } => {
    const seen: string[] = [];
    const counted = Object.entries(deps.tokens).map(([name, method]) => [
      name,
      (...args: unknown[]) => (seen.push(name), (method as (...given: unknown[]) => unknown)(...args)),
    ]);
    return { seen, deps: { ...deps, tokens: Object.fromEntries(counted) } };
  };

  it.each([
    ['revoke', (deps: ManageDeps, id: string) => revokeToken(deps, 'acme-2', id)],
    ['rotate', (deps: ManageDeps, id: string) => rotateToken(deps, 'acme-2', id)],
  ])('cannot %s a token, nor tell it from one that never was', async (_, call) => {
    const { deps, works } = platform();
    const { id, token } = await createToken(deps, 'acme', READ);
    const unknown = 'tok_0123456789abcdef';
    const errors = await Promise.all(
      [id, unknown].map(async (asked) => {
        const { seen, deps: counted } = reads(deps);
        const error = await call(counted, asked).then(
          () => undefined,
          (e: Error & { code: string }) => ({ code: e.code, message: e.message.replace(asked, 'x') }),
        );
        return { error, seen };
      }),
    );
    expect(errors[0]).toEqual(errors[1]);
    expect(errors[0]).toMatchObject({ error: { code: 'not_found' }, seen: ['lookUp'] });
    expect(await works(token)).toBe(true);
  });
});

it('lets no tenant replace a token of the platform, which is not its own to give', async () => {
  const { deps } = platform();
  const { record } = await issueToken(deps, { tenant: 'acme', scopes: ['platform'] });
  const id = `tok_${record.hash.slice(0, 16)}`;
  await expect(rotateToken(deps, 'acme', id)).rejects.toMatchObject({ code: 'forbidden' });
  await expect(rotateToken({ ...deps, mayRotatePlatform: true }, 'acme', id)).resolves.toMatchObject({ scopes: ['platform'] });
});

it('logs who did what to which token, and never a token or its hash', async () => {
  const { deps, telemetry } = platform();
  const made = await createToken(deps, 'acme', { scopes: ['admin'] satisfies Scope[] });
  const fresh = await rotateToken(deps, 'acme', made.id);
  await revokeToken(deps, 'acme', made.id);
  expect(telemetry.lines()).toEqual([
    { level: 'info', message: 'token created', fields: { tenant: 'acme', token: made.id } },
    { level: 'info', message: 'token rotated', fields: { tenant: 'acme', token: fresh.id, replaces: made.id } },
    { level: 'info', message: 'token revoked', fields: { tenant: 'acme', token: made.id } },
  ]);
  const text = JSON.stringify(telemetry.lines());
  for (const { token } of [made, fresh]) {
    expect(text).not.toContain(token);
    expect(text).not.toContain(systemTokens.sha256Hex(token));
  }
});
