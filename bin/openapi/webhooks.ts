import {
  issuedWebhookSecretSchema,
  LIMITS,
  webhookBodySchema,
  webhookSecretIdSchema,
  webhookSecretListSchema,
  webhookSecretRequestSchema,
  type IssuedWebhookSecret,
  type RouteName,
  type WebhookBody,
  type WebhookSecretView,
} from '@sluice/contracts';
import * as z from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import type { Operation } from './operation.ts';

const secret: WebhookSecretView = { id: 'whs_0123456789abcdef', createdAt: '2029-12-24T18:00:00.000Z' };
const replaced: WebhookSecretView = {
  id: 'whs_fedcba9876543210',
  createdAt: '2029-06-01T12:00:00.000Z',
  expiresAt: '2029-12-25T18:00:00.000Z',
};
const issued: IssuedWebhookSecret = { ...secret, secret: `whsec_${'A'.repeat(43)}=` };

export const webhookSecretOperations = {
  listWebhookSecrets: {
    tag: 'Webhooks',
    summary: 'List webhook secrets',
    description: 'The secrets that deliveries of the tenant are signed with, the current one first; never the secrets themselves.',
    success: { 200: { description: 'All of them.', schema: webhookSecretListSchema, example: { secrets: [secret, replaced] } } },
    codes: [],
  },
  createWebhookSecret: {
    tag: 'Webhooks',
    summary: 'Make or replace the webhook secret',
    description:
      `Makes the secret that webhooks of the tenant are signed with from now on. The one before it goes on signing beside it for \`overlapSeconds\`, a day by default; at most ${LIMITS.webhookSecrets} sign at once. ` +
      'This answer is the only place where the secret is ever shown. Not repeatable: each call makes one.',
    body: { schema: webhookSecretRequestSchema, example: { overlapSeconds: 86_400 }, isOptional: true },
    success: { 201: { description: 'The secret.', schema: issuedWebhookSecretSchema, example: issued } },
    codes: ['bad_request', 'too_many_webhook_secrets'],
  },
  deleteWebhookSecret: {
    tag: 'Webhooks',
    summary: 'End a replaced webhook secret',
    description: 'Ends a secret that has been replaced before its overlap is over. The current one cannot be deleted, only replaced.',
    path: z.object({ id: webhookSecretIdSchema.meta({ description: 'The id of the secret, not the secret itself.' }) }),
    success: { 204: { description: 'It signs no longer.' } },
    codes: ['not_found', 'state_conflict'],
  },
} as const satisfies Partial<Record<RouteName, Operation>>;

const example: WebhookBody = {
  type: 'task.succeeded',
  timestamp: '2029-12-24T18:00:01.350Z',
  data: {
    v: 1,
    eventId: '01JZ8Q4T6V3KX5N7W2C9RBD1EF:succeeded',
    tenant: 'acme',
    id: 'order-4711',
    uid: '01JZ8Q4T6V3KX5N7W2C9RBD1EF',
    type: 'thumbnail',
    state: 'succeeded',
    attempts: 1,
    at: '2029-12-24T18:00:01.350Z',
    labels: { order: '4711' },
    result: { key: 'thumbnails/4711.webp' },
  },
};

/** What receivers are called with. */
export const WEBHOOKS: ZodOpenApiPathsObject = {
  taskEnded: {
    post: {
      operationId: 'taskEnded',
      tags: ['Webhooks'],
      summary: 'A task has ended',
      description:
        'Sent to the webhook of a task or of its type, by the conventions of Standard Webhooks. At least once, in no order: `webhook-id` is the same in each copy. Any 2xx takes it; redirects are not followed.',
      security: [],
      requestParams: {
        header: z.object({
          'webhook-id': z.string().meta({ description: 'Of the event, the same in each copy and attempt: what to deduplicate by.' }),
          'webhook-timestamp': z.string().meta({ description: 'Seconds since the epoch, of this attempt.' }),
          'webhook-signature': z.string().meta({
            description: 'For each secret that signs `v1,` and HMAC-SHA256 of `id.timestamp.body` in base64, separated by spaces.',
          }),
        }),
      },
      requestBody: { required: true, content: { 'application/json': { schema: webhookBodySchema, example } } },
      responses: {
        '2XX': { description: 'It is taken.' },
        '410': { description: 'This receiver is gone: the delivery fails at once.' },
        '429': { description: 'Later, after `Retry-After`; costs the delivery no attempt. Likewise 503.' },
        default: { description: 'It is tried again, with growing pauses, for about a day.' },
      },
    },
  },
};
