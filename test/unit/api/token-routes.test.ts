import { issuedTokenSchema, tokenListSchema, type Scope } from '@sluice/contracts';
import { describe, expect, it } from 'vitest';
import { createMemoryTokenStore } from '../../../adapters/memory/index.ts';
import { systemTokens } from '../../../adapters/system.ts';
import { authenticate } from '../../../core/auth/authenticate.ts';
import { createHandler } from '../../../functions/api/handler.ts';
import { createWorld } from '../../helpers/world.ts';
import { answerOf, request, type RequestOptions } from '../http/requests.ts';

function platform() {
  const world = createWorld();
  const deps = { ...world.deps, ...systemTokens, tokens: createMemoryTokenStore(), list: undefined, version: '1' };
  const handler = createHandler(deps);
  const call = async (route: string, options: RequestOptions = {}) =>
    answerOf(await handler(request(route, { scopes: ['admin'], ...options })));
  return {
    works: async (token: unknown) => (await authenticate(deps, `Bearer ${String(token)}`)) !== undefined,
    list: (options?: RequestOptions) => call('GET /v1/tokens', options),
    create: (body: unknown, options?: RequestOptions) => call('POST /v1/tokens', { ...options, body }),
    revoke: (id: unknown, options?: RequestOptions) => call('DELETE /v1/tokens/{id}', { ...options, path: { id: String(id) } }),
    rotate: (id: unknown, options?: RequestOptions) => call('POST /v1/tokens/{id}/rotate', { ...options, path: { id: String(id) } }),
  };
}

describe('tokens', () => {
  it('are made, listed, rotated and revoked', async () => {
    const { create, list, revoke, rotate, works } = platform();
    const made = await create({ scopes: ['read'], name: 'ci', expiresInDays: 30 });
    expect(made.status).toBe(201);
    expect(issuedTokenSchema.parse(made.body)).toEqual(made.body);
    expect(await works(made.body['token'])).toBe(true);

    const fresh = await rotate(made.body['id'], { body: { graceSeconds: 0 } });
    expect(fresh).toMatchObject({ status: 201, body: { name: 'ci', scopes: ['read'] } });
    expect(await works(made.body['token'])).toBe(false);
    const listed = await list();
    expect(tokenListSchema.parse(listed.body).tokens.map(({ id }) => id)).toEqual([fresh.body['id']]);

    expect((await revoke(fresh.body['id'])).status).toBe(204);
    expect(await works(fresh.body['token'])).toBe(false);
    expect((await list()).body).toEqual({ tokens: [] });
  });

  it('are rotated without a body as well', async () => {
    const { create, rotate, works } = platform();
    const { body } = await create({ scopes: ['read'] });
    expect((await rotate(body['id'])).status).toBe(201);
    expect(await works(body['token'])).toBe(true);
    expect(await rotate(body['id'], { body: '{' })).toMatchObject({ status: 400, body: { code: 'malformed_json' } });
  });

  it("of another tenant are not found, nor is what is no token's id", async () => {
    const { create, revoke, rotate, works } = platform();
    const { body } = await create({ scopes: ['read'] });
    for (const call of [revoke, rotate]) {
      expect(await call(body['id'], { tenant: 'acme-2' })).toMatchObject({ status: 404, body: { code: 'not_found' } });
      expect(await call('tok_#', {})).toMatchObject({ status: 404 });
    }
    expect(await works(body['token'])).toBe(true);
  });

  it.each<Scope>(['submit', 'read', 'operate', 'platform'])('are no matter of the scope %s', async (scope) => {
    const { list, create, revoke, rotate } = platform();
    const options = { scopes: [scope] };
    const answers = await Promise.all([list(options), create({ scopes: ['read'] }, options), revoke('x', options), rotate('x', options)]);
    for (const answer of answers) expect(answer).toMatchObject({ status: 403, body: { details: { needed: 'admin' } } });
  });

  it.each([
    [{}, 'scopes'],
    [{ scopes: [] }, 'scopes'],
    [{ scopes: ['root'] }, 'scopes'],
    [{ scopes: ['platform'] }, 'scopes'],
    [{ scopes: ['read'], tenant: 'acme-2' }, 'tenant'],
    [{ scopes: ['read'], name: 'x'.repeat(65) }, 'name'],
    [{ scopes: ['read'], expiresInDays: 0 }, 'expiresInDays'],
  ])('are not made of %j', async (body, field) => {
    const answer = await platform().create(body);
    expect(answer).toMatchObject({ status: 400, body: { code: 'bad_request' } });
    expect(answer.body['detail']).toContain(field);
  });

  it.each([{ graceSeconds: -1 }, { graceSeconds: 1.5 }, { graceSeconds: 30 * 86_400 + 1 }, { grace: 1 }])(
    'are not rotated with %j',
    async (body) => {
      const { create, rotate } = platform();
      const { body: made } = await create({ scopes: ['read'] });
      expect(await rotate(made['id'], { body })).toMatchObject({ status: 400, body: { code: 'bad_request' } });
    },
  );
});
