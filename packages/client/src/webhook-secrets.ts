import { issuedWebhookSecretSchema, ROUTES, webhookSecretIdSchema, webhookSecretListSchema } from '@sluice/contracts';
import type { IssuedWebhookSecret, WebhookSecretRequest, WebhookSecretView } from '@sluice/contracts';
import { pathOf } from './path.ts';
import type { Transport } from './transport.ts';
import type { CallOptions } from './types.ts';

/** How {@link WebhookSecrets.create} replaces the secret before. */
export interface WebhookSecretOptions extends CallOptions, WebhookSecretRequest {}

/**
 * The secrets that webhooks of the client's tenant are signed with; needs the scope `admin`. Receivers verify signatures
 * with any library of Standard Webhooks.
 */
export class WebhookSecrets {
  readonly #transport: Transport;

  /** @internal */
  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /**
   * Makes the secret that deliveries are signed with from now on. The one before it signs beside it for
   * `overlapSeconds`: a day by default, 0 to 30 days. Its text is in the answer and nowhere else, so the call is repeated
   * only when the API refused it before it did anything (429).
   *
   * @throws ApiError `too_many_webhook_secrets` when five would sign at once; `bad_request`
   * @throws ConnectionError at once: a secret may have been made that nobody holds; make another one
   */
  async create({ signal, ...request }: WebhookSecretOptions = {}): Promise<IssuedWebhookSecret> {
    const call = { ...ROUTES.createWebhookSecret, schema: issuedWebhookSecretSchema, repeat: 'refused' as const };
    return (await this.#transport.call({ ...call, body: JSON.stringify(request), signal })).data;
  }

  /** Those that sign, the current one first, without their texts. */
  async list({ signal }: CallOptions = {}): Promise<readonly WebhookSecretView[]> {
    return (await this.#transport.call({ ...ROUTES.listWebhookSecrets, schema: webhookSecretListSchema, signal })).data.secrets;
  }

  /**
   * Ends a secret that has been replaced before its overlap is over.
   * @throws ApiError `not_found` for an id that this tenant does not have; `state_conflict` for the current secret
   */
  async delete(id: string, { signal }: CallOptions = {}): Promise<void> {
    const { method, path } = ROUTES.deleteWebhookSecret;
    await this.#transport.call({
      method,
      path: pathOf(path, id, webhookSecretIdSchema, 'webhook secret id'),
      removes: true,
      signal,
    });
  }
}
