import { webhookSecretRequestSchema, type RouteName } from '@sluice/contracts';
import type { Route } from '../../adapters/http/create-http-handler.ts';
import { json, noContent } from '../../adapters/http/respond.ts';
import { createWebhookSecret, deleteWebhookSecret, listWebhookSecrets, type WebhookSecretDeps } from '../../core/notify/secrets.ts';
import { parsedBody } from './query.ts';

/** The routes of the secrets that webhooks are signed with, always those of the caller's own tenant. */
export function webhookSecretRoutes(
  deps: WebhookSecretDeps,
): Record<Extract<RouteName, `${string}WebhookSecret` | 'listWebhookSecrets'>, Route> {
  return {
    listWebhookSecrets: async ({ tenant }) => json(200, { secrets: await listWebhookSecrets(deps, tenant) }),
    createWebhookSecret: async ({ tenant, body }) =>
      json(201, await createWebhookSecret(deps, tenant, parsedBody(webhookSecretRequestSchema, body({})))),
    deleteWebhookSecret: async ({ tenant, param }) => {
      await deleteWebhookSecret(deps, tenant, param('id'));
      return noContent();
    },
  };
}
