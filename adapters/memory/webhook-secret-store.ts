import type { WebhookSecretsRecord } from '@sluice/contracts';
import type { WebhookSecretStore } from '../../core/ports/webhook-secret-store.ts';

/** Secrets in a map. */
export function createMemoryWebhookSecretStore(): WebhookSecretStore {
  const records = new Map<string, WebhookSecretsRecord>();
  return {
    get: async (tenant) => structuredClone(records.get(tenant)),
    put: async (tenant, record) => {
      if (record.version !== (records.get(tenant)?.version ?? 0) + 1) return false;
      records.set(tenant, structuredClone({ ...record, tenant }));
      return true;
    },
  };
}
