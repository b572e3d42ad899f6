import {
  LIMITS,
  SluiceError,
  webhookSecretIdSchema,
  type IssuedWebhookSecret,
  type WebhookSecretRequest,
  type WebhookSecretsRecord,
  type WebhookSecretView,
} from '@sluice/contracts';
import type { Clock } from '../ports/clock.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import type { WebhookSecretStore } from '../ports/webhook-secret-store.ts';

export interface WebhookSecretDeps extends WebhookSecretSource {
  readonly webhookSecrets: WebhookSecretStore;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
}

/** Chance from a cryptographic source. */
export interface WebhookSecretSource {
  /** `whsec_` and 32 bytes in base64. */
  readonly webhookSecret: () => string;
  /** `whs_` and 16 hexadecimal digits. */
  readonly webhookSecretId: () => string;
}

type Stored = WebhookSecretsRecord['secrets'][number];

const OVERLAP_SECONDS = 86_400;
/** How often others may come first before a change is refused. */
const MAX_LOOKS = 8;

/** Those that sign, the current one first. */
export function liveSecrets({ secrets }: WebhookSecretsRecord, now: number): readonly Stored[] {
  return secrets.filter(({ expiresAt }) => expiresAt === undefined || expiresAt > now);
}

/** A tenant's secrets that sign, the current one first, never the secrets themselves. */
export async function listWebhookSecrets(deps: WebhookSecretDeps, tenant: string): Promise<readonly WebhookSecretView[]> {
  const record = await deps.webhookSecrets.get(tenant);
  return record ? liveSecrets(record, deps.clock.now()).map(viewOf) : [];
}

/**
 * Makes a secret that signs from now on. The one before it goes on signing beside it for the overlap. Each call makes
 * another secret, and only its answer ever shows it.
 * @throws SluiceError `too_many_webhook_secrets`, `unavailable`
 */
export async function createWebhookSecret(
  deps: WebhookSecretDeps,
  tenant: string,
  { overlapSeconds = OVERLAP_SECONDS }: WebhookSecretRequest = {},
): Promise<IssuedWebhookSecret> {
  const secret = { id: deps.webhookSecretId(), secret: deps.webhookSecret() };
  const made = await change(deps, tenant, (secrets, now): Change<Stored> => {
    // Written by a try whose answer was lost.
    const known = secrets.find(({ id }) => id === secret.id);
    if (known) return { secrets: [...secrets], answer: known };
    const made = { ...secret, createdAt: now };
    const end = now + overlapSeconds * 1_000;
    const older = secrets.map((each) => ({ ...each, expiresAt: Math.min(each.expiresAt ?? end, end) })).filter((e) => e.expiresAt > now);
    if (older.length >= LIMITS.webhookSecrets) {
      throw new SluiceError(
        'too_many_webhook_secrets',
        `tenant ${tenant} would have ${older.length + 1} webhook secrets that sign at once, of at most ${LIMITS.webhookSecrets}; delete those that no receiver uses, or shorten overlapSeconds`,
        { details: { secrets: older.length, limit: LIMITS.webhookSecrets } },
      );
    }
    return { secrets: [made, ...older], answer: made };
  });
  deps.telemetry.log('info', 'webhook secret created', { tenant, secret: made.id });
  return { ...viewOf(made), secret: made.secret };
}

/**
 * Ends a secret that has been replaced before its overlap is over.
 * @throws SluiceError `not_found`; `state_conflict` for the current one; `unavailable`
 */
export async function deleteWebhookSecret(deps: WebhookSecretDeps, tenant: string, id: string): Promise<void> {
  let wasThere = false;
  await change(deps, tenant, (secrets): Change<undefined> => {
    const found = webhookSecretIdSchema.safeParse(id).success ? secrets.find((secret) => secret.id === id) : undefined;
    // Ended by a try whose answer was lost, or by another one.
    if (!found && wasThere) return { secrets: [...secrets], answer: undefined };
    if (!found) throw new SluiceError('not_found', `there is no webhook secret "${id.slice(0, 100)}"; it never was, or its time is over`);
    if (found.expiresAt === undefined) {
      throw new SluiceError(
        'state_conflict',
        `webhook secret ${id} is the current one, which deliveries are signed with; make another one first, with overlapSeconds 0 to end this one at once`,
      );
    }
    wasThere = true;
    return { secrets: secrets.filter((secret) => secret.id !== id), answer: undefined };
  });
  deps.telemetry.log('info', 'webhook secret deleted', { tenant, secret: id });
}

interface Change<A> {
  readonly secrets: Stored[];
  readonly answer: A;
}

async function change<A>(
  deps: WebhookSecretDeps,
  tenant: string,
  decide: (secrets: readonly Stored[], now: number) => Change<A>,
): Promise<A> {
  for (let look = 0; look < MAX_LOOKS; look++) {
    const record = await deps.webhookSecrets.get(tenant);
    const now = deps.clock.now();
    const { secrets, answer } = decide(record ? liveSecrets(record, now) : [], now);
    const next: WebhookSecretsRecord = { v: 1, tenant, version: (record?.version ?? 0) + 1, secrets };
    if (await deps.webhookSecrets.put(tenant, next)) return answer;
  }
  throw new SluiceError(
    'unavailable',
    `the webhook secrets of tenant ${tenant} changed ${MAX_LOOKS} times meanwhile; look at them and try again`,
  );
}

function viewOf({ id, createdAt, expiresAt }: Stored): WebhookSecretView {
  return {
    id,
    createdAt: new Date(createdAt).toISOString(),
    ...(expiresAt !== undefined && { expiresAt: new Date(expiresAt).toISOString() }),
  };
}
