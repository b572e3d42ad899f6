import type { WebhookSecretsRecord } from '@sluice/contracts';

/** The secrets that each tenant's webhooks are signed with. Every method throws when its answer is unknown. */
export interface WebhookSecretStore {
  /** Reads consistently. */
  readonly get: (tenant: string) => Promise<WebhookSecretsRecord | undefined>;
  /**
   * Writes a record on condition that it follows the stored one: `version` is one more, or 1 where there is none.
   * @returns whether it was written
   */
  readonly put: (tenant: string, record: WebhookSecretsRecord) => Promise<boolean>;
}
