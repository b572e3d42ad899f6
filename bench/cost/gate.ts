import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { createAdmissionStore } from '../../adapters/aws/admission-store.ts';
import { createQuotaStore } from '../../adapters/aws/quota-store.ts';
import { createMemoryControlQueue } from '../../adapters/memory/index.ts';
import { systemClock as clock, systemRandom as random, systemTimer as timer } from '../../adapters/system.ts';
import { createAdmission, type Admission } from '../../core/admission/admission.ts';
import { createAdmissionFeed } from '../../core/admission/feed.ts';
import type { Telemetry } from '../../core/ports/telemetry.ts';

/**
 * The gate of the one environment of a platform that has been running for some seconds: it has read what it reads in the background,
 * as it knows the task types. It reads that anew every five seconds at most, however many tasks come.
 */
export async function warmGate(dynamodb: DynamoDBDocumentClient, table: string, telemetry: Telemetry, tenant: string): Promise<Admission> {
  const started = clock.now();
  const still = { now: () => started };
  const store = createAdmissionStore(dynamodb, { table, telemetry });
  // Control has heard of this environment and knows of no other: all of the platform's submissions come here.
  await store.putDocument({ v: 1, at: started, environments: 1, offered: 0, refused: 0, tenants: [] });
  const feed = createAdmissionFeed({
    admissions: store,
    quotas: createQuotaStore(dynamodb, { table }),
    control: createMemoryControlQueue(),
    clock: still,
    timer,
    random,
    telemetry,
  });
  const gate = createAdmission({ feed, clock, random, telemetry });
  await gate.ready(tenant, 25);
  gate.admit(tenant, 25);
  return gate;
}
