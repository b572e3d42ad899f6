import { beforeAll, describe, expect, test } from 'vitest';
import { call, clientOf, clientWith, eventually, fresh, target, tokenOf, type Client } from './target.ts';

describe.concurrent('tokens', () => {
  let admin: Client;
  let tenant: string;
  beforeAll(async () => {
    tenant = fresh('issuer');
    admin = await clientOf(tenant, ['admin']);
  });

  const works = async (token: string) => (await call('/v1/tasks/no-such-task', { token })).status === 404;

  test('a token that was made works, is listed, and is never shown again', async () => {
    const { token, id, ...shown } = await admin.tokens.create({ scopes: ['read', 'submit'], name: 'worker', expiresInDays: 1 });
    expect(await works(token)).toBe(true);
    expect(shown).toMatchObject({ name: 'worker', scopes: ['read', 'submit'] });
    expect(Date.parse(shown.expiresAt ?? '') - Date.parse(shown.createdAt)).toBe(86_400_000);
    const listed = (await admin.tokens.list()).find((each) => each.id === id);
    expect(listed).toEqual({ id, ...shown });
  });

  test('a revoked token is refused within the time that the gateway remembers it', async () => {
    const { token, id } = await admin.tokens.create({ scopes: ['read'] });
    // Never used before, the gateway does not know it yet.
    await admin.tokens.revoke(id);
    expect((await call('/v1/tasks/x', { token })).status).toBe(403);
    await expect(admin.tokens.revoke(id)).rejects.toMatchObject({ code: 'not_found' });
    expect((await admin.tokens.list()).map((each) => each.id)).not.toContain(id);
  });

  test.runIf(target.isEmbedded)('one that is in use is refused a minute later', { timeout: 150_000 }, async () => {
    const { token, id } = await admin.tokens.create({ scopes: ['read'] });
    expect(await works(token)).toBe(true);
    await admin.tokens.revoke(id);
    const since = Date.now();
    await eventually('the gateway to forget', async () => ((await works(token)) ? undefined : true));
    expect(Date.now() - since).toBeLessThan(75_000);
  });

  test('a rotated token has a successor with the same rights, and ends after its grace', async () => {
    const old = await admin.tokens.create({ scopes: ['read'], name: 'ci' });
    const next = await admin.tokens.rotate(old.id, { graceSeconds: 0 });
    expect(next).toMatchObject({ name: 'ci', scopes: ['read'] });
    expect(next.id).not.toBe(old.id);
    expect(await works(next.token)).toBe(true);
    expect((await call('/v1/tasks/x', { token: old.token })).status).toBe(403);
  });

  test('belong to their tenant: another one finds none of them', async () => {
    const { id } = await admin.tokens.create({ scopes: ['read'] });
    const stranger = await clientOf(fresh('stranger'), ['admin']);
    await expect(stranger.tokens.revoke(id)).rejects.toMatchObject({ status: 404, code: 'not_found' });
    await expect(stranger.tokens.rotate(id)).rejects.toMatchObject({ status: 404, code: 'not_found' });
    expect((await stranger.tokens.list()).map((each) => each.id)).not.toContain(id);
    expect((await admin.tokens.list()).map((each) => each.id)).toContain(id);
  });

  test('are the matter of admin alone', async () => {
    const user = clientWith(await tokenOf(tenant, ['submit', 'read', 'operate']));
    await expect(user.tokens.list()).rejects.toMatchObject({ status: 403, code: 'forbidden' });
    await expect(user.tokens.create({ scopes: ['admin'] })).rejects.toMatchObject({ status: 403, code: 'forbidden' });
  });

  test.each([
    ['without a scope', '{"scopes":[]}'],
    ['with a scope that is none', '{"scopes":["everything"]}'],
    ['that never lived', '{"scopes":["read"],"expiresInDays":0}'],
    ['of another tenant', '{"scopes":["read"],"tenant":"acme"}'],
  ])('one %s is refused', async (_, body) => {
    const response = await call('/v1/tokens', { method: 'POST', body, token: await tokenOf(tenant, ['admin']) });
    expect(await response.json()).toMatchObject({ status: 400, code: 'bad_request' });
  });
});
