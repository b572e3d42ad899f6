import type { NotifyRules } from '@sluice/contracts';
import { createBacklogStore } from '../adapters/aws/backlog-store.ts';
import { createBreakerStore } from '../adapters/aws/breaker-store.ts';
import { createBucketStore } from '../adapters/aws/bucket-store.ts';
import { createClients, createStoreClients, type StoreClients } from '../adapters/aws/clients.ts';
import { createEventBus } from '../adapters/aws/event-bus.ts';
import { createHintQueue } from '../adapters/aws/hint-queue.ts';
import { createPermitReturns } from '../adapters/aws/permit-returns.ts';
import { createPermitStore } from '../adapters/aws/permit-store.ts';
import { createStartStore } from '../adapters/aws/start-store.ts';
import { createRoutingMap } from '../adapters/aws/routing-store.ts';
import { createLastingTaskStore, createLastingValueStore } from '../adapters/aws/lasting-stores.ts';
import { createTaskStore } from '../adapters/aws/task-store.ts';
import { createTypeRegistry, type TypeRegistryConfig } from '../adapters/aws/type-registry.ts';
import { createValueStore } from '../adapters/aws/value-store.ts';
import { withResources } from '../core/limits/of-resources.ts';
import { createSightings } from '../core/breakers/evidence.ts';
import { createWebhookSecretStore } from '../adapters/aws/webhook-secret-store.ts';
import { systemClock as clock, systemHasher as hasher, systemRandom as random, systemTimer as timer } from '../adapters/system.ts';
import type { NotifyGate } from '../core/notify/check-notify.ts';
import { createRunTally } from '../core/starts/run-tally.ts';
import { createLaneViews } from '../core/permits/views.ts';
import type { PlaceDeps } from '../core/hints/place.ts';
import type { Telemetry } from '../core/ports/telemetry.ts';

interface HintEnv {
  readonly SLUICE_TABLE: string;
  readonly SLUICE_QUEUE_PREFIX: string;
  readonly SLUICE_SHARDS: number;
  readonly SLUICE_SHARDS_PER_TENANT: number;
}

interface TaskEnv extends HintEnv {
  readonly SLUICE_BUCKET: string;
  readonly SLUICE_BUS: string;
  readonly SLUICE_LIST_INDEX?: 'on' | 'off';
}

interface WiringOptions {
  /** How old what is known of task types and their breakers may be. @default the registry's */
  readonly refreshSeconds?: number;
}

type PlaceOptions = WiringOptions & Pick<TypeRegistryConfig, 'resolve'>;

/** What it takes to make hints, and to see lanes. */
function wirePlace<C extends StoreClients>(env: HintEnv, clients: C, telemetry: Telemetry, options: PlaceOptions = {}) {
  const table = env.SLUICE_TABLE;
  const types = createTypeRegistry(clients.dynamodb, { table, clock, telemetry, ...options });
  const place: PlaceDeps = {
    queue: createHintQueue(clients.sqs, { queueUrlPrefix: env.SLUICE_QUEUE_PREFIX, random, telemetry }),
    buckets: createBucketStore(clients.dynamodb, { table, random, telemetry }),
    routing: {
      shards: env.SLUICE_SHARDS,
      shardsPerTenant: env.SLUICE_SHARDS_PER_TENANT,
      map: createRoutingMap(clients.dynamodb, { table, clock, timer, telemetry, types }),
    },
    clock,
    random,
  };
  return {
    ...place,
    clients,
    telemetry,
    timer,
    views: createLaneViews(clock),
    types,
  };
}

/** What every function that works off hints needs. */
export function wireHints(env: HintEnv, telemetry: Telemetry, options: WiringOptions = {}) {
  const table = env.SLUICE_TABLE;
  const place = wirePlace(env, createClients(), telemetry, { ...options, resolve: withResources });
  const { dynamodb } = place.clients;
  return {
    ...place,
    permits: createPermitStore(dynamodb, { table }),
    backlog: createBacklogStore(dynamodb, { table, random, telemetry }),
    breakers: createBreakerStore(dynamodb, { table, clock, known: place.types }),
    sightings: createSightings(),
    starts: createStartStore(dynamodb, { table, clock, known: place.types }),
    runTally: createRunTally(),
    // Rows enter the list index when they are accepted, never later.
    tasks: createLastingTaskStore(dynamodb, { table, listIndex: false, clock, telemetry }),
  };
}

/** The same for functions that also accept or settle tasks. */
export function wireTasks(env: TaskEnv, telemetry: Telemetry, options: WiringOptions = {}) {
  const hints = wireHints(env, telemetry, options);
  const make = { tasks: createLastingTaskStore, values: createLastingValueStore };
  return { ...hints, ...storesOf(env, hints.clients, telemetry, make) };
}

/** For submit, which accepts tasks and does no more: what it does not need, its callers need not wait for at a cold start. */
export function wireSubmit(env: TaskEnv, telemetry: Telemetry) {
  const place = wirePlace(env, createStoreClients(), telemetry);
  const permits = createPermitReturns(place.clients.dynamodb, { table: env.SLUICE_TABLE });
  const make = { tasks: createTaskStore, values: createValueStore };
  return { ...place, permits, ...storesOf(env, place.clients, telemetry, make) };
}

/** How the two stores are made that can do more for some functions than for others. */
interface Makers<T, V> {
  readonly tasks: (...of: Parameters<typeof createTaskStore>) => T;
  readonly values: (...of: Parameters<typeof createValueStore>) => V;
}

function storesOf<T, V>(env: TaskEnv, { dynamodb, s3, events }: StoreClients, telemetry: Telemetry, make: Makers<T, V>) {
  const table = env.SLUICE_TABLE;
  return {
    hasher,
    tasks: make.tasks(dynamodb, { table, listIndex: env.SLUICE_LIST_INDEX === 'on', clock, telemetry }),
    values: make.values({ dynamodb, s3 }, { table, bucket: env.SLUICE_BUCKET, clock }),
    events: createEventBus(events, { bus: env.SLUICE_BUS, random }),
  };
}

/** What decides whether a submission may name a receiver of notifications. */
export function wireNotify(
  env: { readonly SLUICE_TABLE: string; readonly SLUICE_NOTIFY: NotifyRules },
  { dynamodb }: Pick<StoreClients, 'dynamodb'>,
): NotifyGate {
  return { webhookSecrets: createWebhookSecretStore(dynamodb, { table: env.SLUICE_TABLE }), notifyRules: env.SLUICE_NOTIFY, clock };
}
