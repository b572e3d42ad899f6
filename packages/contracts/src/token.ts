import * as z from 'zod';
import { instantSchema, scopeSchema, tenantSchema, tokenNameSchema } from './names.ts';

/** An API token as it is stored: only its hash, never the token. */
export const tokenRecordSchema = z.object({
  v: z.literal(1),
  /** SHA-256 of the token, hex. */
  hash: z.string(),
  tenant: tenantSchema,
  name: tokenNameSchema.optional(),
  scopes: z.array(scopeSchema).min(1),
  createdAt: instantSchema,
  expiresAt: instantSchema.optional(),
  /** ms from creation to expiry as it was issued, 0 for never: noted when a rotation brings the expiry forward. */
  lifetime: z.number().int().nonnegative().optional(),
});
export type TokenRecord = z.infer<typeof tokenRecordSchema>;

/** An AWS principal that calls with SigV4, and the tenant that it acts for. */
export const principalRecordSchema = z.object({
  v: z.literal(1),
  /** The ARN of an IAM role or user, without session name. */
  arn: z.string(),
  tenant: tenantSchema,
  scopes: z.array(scopeSchema).min(1),
  createdAt: instantSchema,
});
export type PrincipalRecord = z.infer<typeof principalRecordSchema>;
