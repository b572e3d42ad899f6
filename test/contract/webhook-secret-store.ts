import type { WebhookSecretsRecord } from '@sluice/contracts';
import { beforeEach, describe, expect, it } from 'vitest';
import type { WebhookSecretStore } from '../../core/ports/webhook-secret-store.ts';
import { A, B, NOW } from './fixtures.ts';

export const makeSecrets = (given: Partial<WebhookSecretsRecord> = {}): WebhookSecretsRecord => ({
  v: 1,
  tenant: A,
  version: 1,
  secrets: [{ id: 'whs_0123456789abcdef', secret: `whsec_${'A'.repeat(43)}=`, createdAt: NOW }],
  ...given,
});

export function webhookSecretStoreContract(name: string, make: () => Promise<WebhookSecretStore>): void {
  describe(`webhook secret store: ${name}`, () => {
    let store: WebhookSecretStore;
    beforeEach(async () => {
      store = await make();
    });

    it('has nothing of a tenant that has none', async () => {
      expect(await store.get(A)).toBeUndefined();
    });

    it('keeps a record whole', async () => {
      const [first] = makeSecrets().secrets;
      const record = makeSecrets({ secrets: first ? [first, { ...first, id: 'whs_fedcba9876543210', expiresAt: NOW + 1 }] : [] });
      expect(await store.put(A, record)).toBe(true);
      expect(await store.get(A)).toEqual(record);
    });

    it('takes the version that follows, and no other', async () => {
      expect(await store.put(A, makeSecrets({ version: 2 }))).toBe(false);
      expect(await store.get(A)).toBeUndefined();
      expect(await store.put(A, makeSecrets())).toBe(true);
      expect(await store.put(A, makeSecrets())).toBe(false);
      expect(await store.put(A, makeSecrets({ version: 3 }))).toBe(false);
      expect(await store.put(A, makeSecrets({ version: 2 }))).toBe(true);
      expect(await store.get(A)).toMatchObject({ version: 2 });
    });

    it('lets one of two writers win that have read the same', async () => {
      const written = await Promise.all([store.put(A, makeSecrets()), store.put(A, makeSecrets())]);
      expect(written.toSorted()).toEqual([false, true]);
    });

    it('keeps two tenants apart', async () => {
      await store.put(A, makeSecrets());
      expect(await store.get(B)).toBeUndefined();
      const other = makeSecrets({ tenant: B, secrets: [{ id: 'whs_aaaaaaaaaaaaaaaa', secret: 'whsec_B', createdAt: NOW }] });
      expect(await store.put(B, other)).toBe(true);
      expect(await store.get(A)).toEqual(makeSecrets());
      expect(await store.get(B)).toEqual(other);
    });
  });
}
