import * as z from 'zod';
import { LIMITS } from './limits.ts';
import { instantSchema, tenantSchema } from './names.ts';

/** Names a secret without being it. */
export const webhookSecretIdSchema = z.string().regex(/^whs_[0-9a-f]{16}$/, 'a webhook secret id is whs_ and 16 hexadecimal digits');

/** The secrets that a tenant's webhooks are signed with, as they are stored. The first has no end: it is the current one. */
export const webhookSecretsRecordSchema = z.object({
  v: z.literal(1),
  tenant: tenantSchema,
  /** Raised by every write, which is conditional on it. */
  version: z.number().int().positive(),
  secrets: z
    .array(
      z.object({
        id: webhookSecretIdSchema,
        /** `whsec_` and 32 random bytes in base64. */
        secret: z.string(),
        createdAt: instantSchema,
        expiresAt: instantSchema.optional(),
      }),
    )
    .min(1),
});
export type WebhookSecretsRecord = z.infer<typeof webhookSecretsRecordSchema>;

const timeSchema = z.iso.datetime({ offset: true });

/** A secret that webhooks are signed with, as its tenant sees it: never the secret itself. */
export const webhookSecretViewSchema = z.object({
  id: webhookSecretIdSchema,
  createdAt: timeSchema,
  /** When it signs no longer; the current one has no end. */
  expiresAt: timeSchema.optional(),
});
export type WebhookSecretView = z.infer<typeof webhookSecretViewSchema>;
export const webhookSecretListSchema = z.object({ secrets: z.array(webhookSecretViewSchema) });
export type WebhookSecretList = z.infer<typeof webhookSecretListSchema>;

/** How a secret is made, or replaced by another one. */
export const webhookSecretRequestSchema = z.strictObject({
  /** Seconds that deliveries are signed with the secret before it too, so that receivers can take up the new one. @default 86400 */
  overlapSeconds: z.number().int().min(0).max(LIMITS.webhookOverlapSeconds).optional(),
});
export type WebhookSecretRequest = z.infer<typeof webhookSecretRequestSchema>;

/** The only answer that ever holds a secret. */
export const issuedWebhookSecretSchema = webhookSecretViewSchema.extend({ secret: z.string() });
export type IssuedWebhookSecret = z.infer<typeof issuedWebhookSecretSchema>;
