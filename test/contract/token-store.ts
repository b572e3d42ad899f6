import type { PrincipalRecord, TokenRecord } from '@sluice/contracts';
import { beforeEach, describe, expect, it } from 'vitest';
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
