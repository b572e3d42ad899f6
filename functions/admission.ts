import type { Env } from '@sluice/contracts';
import { createAdmissionStore } from '../adapters/aws/admission-store.ts';
import type { Clients } from '../adapters/aws/clients.ts';
import { createControlQueue } from '../adapters/aws/control-queue.ts';
import { createQuotaStore } from '../adapters/aws/quota-store.ts';
import { createAdmission, type Admission } from '../core/admission/admission.ts';
import { createAdmissionFeed } from '../core/admission/feed.ts';
import type { Clock } from '../core/ports/clock.ts';
import type { Random } from '../core/ports/random.ts';
import type { Telemetry } from '../core/ports/telemetry.ts';
import type { Timer } from '../core/ports/timer.ts';

interface Wired {
  readonly clients: Pick<Clients, 'dynamodb' | 'sqs'>;
  readonly clock: Clock;
  readonly timer: Timer;
  readonly random: Random;
  readonly telemetry: Telemetry;
}

type GateEnv = Pick<Env<'submit'>, 'SLUICE_TABLE' | 'SLUICE_CONTROL_QUEUE_URL' | 'SLUICE_ADMISSION'>;

/** The gate of this environment of submit. */
export function wireAdmission(env: GateEnv, { clients, clock, timer, random, telemetry }: Wired): Admission {
  const feed = createAdmissionFeed({
    admissions: createAdmissionStore(clients.dynamodb, { table: env.SLUICE_TABLE, telemetry }),
    quotas: createQuotaStore(clients.dynamodb, { table: env.SLUICE_TABLE }),
    control: createControlQueue(clients.sqs, { queueUrl: env.SLUICE_CONTROL_QUEUE_URL, telemetry }),
    clock,
    timer,
    random,
    telemetry,
  });
  return createAdmission({ feed, clock, random, telemetry, bounds: env.SLUICE_ADMISSION });
}
