import type { PrincipalRecord, TokenRecord } from '@sluice/contracts';
import { beforeEach, describe, expect, it } from 'vitest';
import { tokenIdOf } from '../../core/auth/token-record.ts';
import type { TokenStore } from '../../core/ports/token-store.ts';
import { A, B, NOW } from './fixtures.ts';

const makeToken = (given: Partial<TokenRecord> = {}): TokenRecord => ({
  v: 1,
  hash: 'ab12',
  tenant: A,
  scopes: ['submit', 'read'],
  createdAt: NOW,
  ...given,
});
const makePrincipal = (given: Partial<PrincipalRecord> = {}): PrincipalRecord => ({
  v: 1,
  arn: 'arn:aws:iam::123456789012:role/path/to/shop',
  tenant: A,
  scopes: ['admin'],
  createdAt: NOW,
  ...given,
});

export function tokenStoreContract(name: string, make: () => Promise<TokenStore>): void {
  describe(`token store: ${name}`, () => {
    let store: TokenStore;
    beforeEach(async () => {
      store = await make();
    });

    it('finds a token by its hash, whole, expired or not', async () => {
      const token = makeToken({ expiresAt: 1 });
      await store.put(token);
      await store.put(token);
      expect(await store.find(token.hash)).toEqual(token);
    });

    it('finds nothing for another hash, and no principal', async () => {
      await store.put(makeToken());
      expect(await store.find('ab1')).toBeUndefined();
      expect(await store.findPrincipal('ab12')).toBeUndefined();
    });

    it('finds nothing once a token was removed, which it can be again', async () => {
      await store.put(makeToken());
      await store.remove('ab12');
      await store.remove('ab12');
      expect(await store.find('ab12')).toBeUndefined();
    });

    const hash = 'ab12'.repeat(16);
    const id = tokenIdOf(hash);

    it('notes tokens of a tenant, whole, by their ids', async () => {
      const token = makeToken({ hash, name: 'Übung', expiresAt: NOW + 1, lifetime: 0 });
      await store.note(token);
      await store.note(token);
      expect(await store.lookUp(A, id)).toEqual(token);
      const other = makeToken({ hash: 'cd34'.repeat(16) });
      await store.note(other);
      const byHash = (a: TokenRecord, b: TokenRecord) => (a.hash < b.hash ? -1 : 1);
      expect([...(await store.noted(A))].sort(byHash)).toEqual([token, other]);
      await store.forget(A, id);
      await store.forget(A, id);
      expect(await store.lookUp(A, id)).toBeUndefined();
      expect(await store.noted(A)).toEqual([other]);
    });

    it('authenticates by no directory, and notes nothing by what authenticates', async () => {
      await store.note(makeToken({ hash }));
      expect(await store.find(hash)).toBeUndefined();
      await store.forget(A, id);
      await store.put(makeToken({ hash }));
      expect(await store.noted(A)).toEqual([]);
      expect(await store.lookUp(A, id)).toBeUndefined();
    });

    it('renews a token where it still is, and only there', async () => {
      const renewed = makeToken({ hash, expiresAt: NOW + 5, lifetime: 7 });
      await store.renew(renewed);
      expect([await store.find(hash), await store.lookUp(A, id)]).toEqual([undefined, undefined]);
      await store.note(makeToken({ hash }));
      await store.renew(renewed);
      expect([await store.find(hash), await store.lookUp(A, id)]).toEqual([undefined, renewed]);
      await store.forget(A, id);
      await store.put(makeToken({ hash }));
      await store.renew(renewed);
      await store.renew(renewed);
      expect([await store.find(hash), await store.lookUp(A, id)]).toEqual([renewed, undefined]);
    });

    it("keeps two tenants' directories apart", async () => {
      await store.note(makeToken({ hash, tenant: B }));
      expect(await store.noted(A)).toEqual([]);
      expect(await store.lookUp(A, id)).toBeUndefined();
      await store.forget(A, id);
      expect(await store.noted(B)).toMatchObject([{ tenant: B }]);
    });

    it('knows each tenant that a token was ever noted of, once', async () => {
      expect(await store.tenants()).toEqual([]);
      await store.note(makeToken({ hash }));
      await store.note(makeToken({ hash, tenant: B }));
      await store.note(makeToken({ hash: 'cd34', tenant: B }));
      await store.forget(B, id);
      expect([...(await store.tenants())].sort()).toEqual([A, B].sort());
    });

    it('finds a principal by its ARN', async () => {
      await store.putPrincipal(makePrincipal());
      expect(await store.findPrincipal(makePrincipal().arn)).toEqual(makePrincipal());
      expect(await store.findPrincipal(`${makePrincipal().arn}-2`)).toBeUndefined();
      expect(await store.find(makePrincipal().arn)).toBeUndefined();
    });

    it('keeps the tokens and principals of two tenants apart', async () => {
      await store.put(makeToken());
      await store.put(makeToken({ hash: 'cd34', tenant: B }));
      await store.putPrincipal(makePrincipal());
      await store.putPrincipal(makePrincipal({ arn: 'arn:aws:iam::1:user/b', tenant: B }));
      await store.remove('ab12');
      expect(await store.find('cd34')).toMatchObject({ tenant: B });
      expect(await store.findPrincipal(makePrincipal().arn)).toMatchObject({ tenant: A });
      expect(await store.findPrincipal('arn:aws:iam::1:user/b')).toMatchObject({ tenant: B });
    });
  });
}
