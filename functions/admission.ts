import type { Env } from '@sluice/contracts';
import { createAdmissionStore } from '../adapters/aws/admission-store.ts';
import type { Clients } from '../adapters/aws/clients.ts';
import { createControlQueue } from '../adapters/aws/control-queue.ts';
import { createAdmission, type Admission } from '../core/admission/admission.ts';
import { createAdmissionFeed } from '../core/admission/feed.ts';
import type { BoundsStore } from '../core/ports/admission-store.ts';
import type { Clock } from '../core/ports/clock.ts';
import type { Random } from '../core/ports/random.ts';
import type { Telemetry } from '../core/ports/telemetry.ts';

interface Wired {
  readonly clients: Pick<Clients, 'dynamodb' | 'sqs'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: Telemetry;
}

/** The gate of this environment of submit. */
export function wireAdmission(env: Env<'submit'>, { clients, clock, random, telemetry }: Wired): Admission {
  const feed = createAdmissionFeed({
    admissions: createAdmissionStore(clients.dynamodb, { table: env.SLUICE_TABLE, telemetry }),
    bounds: wireBounds(),
    control: createControlQueue(clients.sqs, { queueUrl: env.SLUICE_CONTROL_QUEUE_URL, telemetry }),
    clock,
    random,
    telemetry,
  });
  return createAdmission({ feed, clock, random, telemetry, bounds: env.SLUICE_ADMISSION });
}

/** What tenants may, where it differs from what all may. */
export function wireBounds(): BoundsStore {
  return { bounds: async () => undefined };
}
