import { createHash } from 'node:crypto';
import type { NotifyRules, TaskTypeSpec } from '@sluice/contracts';
import {
  createMemoryAdmissionStore,
  createMemoryBacklogStore,
  createMemoryBreakerStore,
  createMemoryBucketStore,
  createMemoryControlQueue,
  createMemoryDeadList,
  createMemoryDivisionStore,
  createMemoryEventBus,
  createMemoryLaneReadings,
  createMemoryNotificationSender,
  createMemoryPermitStore,
  createMemoryQueues,
  createMemoryQuotaStore,
  createMemoryRedriveStore,
  createMemoryRoutingStore,
  createMemoryScheduleStore,
  createMemoryStartStore,
  createMemoryTaskList,
  createMemoryTaskStore,
  createMemoryTelemetry,
  createMemoryTypeRegistry,
  createMemoryValueStore,
  createMemoryWebhookSecretStore,
  createMemoryWebhookSender,
  type MemoryQueuesConfig,
} from '../adapters/memory/index.ts';
import { createSightings } from '../core/breakers/evidence.ts';
import { tuneLimit } from '../core/permits/tune.ts';
import { createRunTally } from '../core/starts/run-tally.ts';
import { createLaneViews } from '../core/permits/views.ts';
import { DEFAULT_ROUTING_SETTINGS } from '../core/routing/settings.ts';
import type { Clock } from '../core/ports/clock.ts';
import type { Random } from '../core/ports/random.ts';
import type { WebhookAnswer } from '../core/ports/webhook-sender.ts';

export interface ServicesConfig {
  readonly clock: Clock;
  readonly random: Random;
  readonly types: readonly TaskTypeSpec[];
  readonly notifyRules?: NotifyRules;
  /** What the receivers of webhooks answer. @default 204 */
  readonly receiver?: () => WebhookAnswer;
  /** ms by which what dispatch knows of breakers is late. @default 0 */
  readonly breakersLateMs?: number;
  /** ms by which the table deletes rows and attempts late. @default 0 */
  readonly ttlLateMs?: number;
  readonly queues?: Pick<MemoryQueuesConfig, 'maxReceives' | 'inFlightLimit'>;
}

export type Services = ReturnType<typeof createServices>;

/** Seconds that a message which dispatch has received stays out of sight: as long as it may run. */
export const VISIBILITY_SECONDS = 180;

/** The services of one platform, all but the handlers' Lambda: memory adapters that do what they are told, at once. */
export function createServices(config: ServicesConfig) {
  const { clock, random, types, receiver, breakersLateMs = 0, ttlLateMs = 0, queues = {} } = config;
  const notifyRules = config.notifyRules ?? { queues: {}, ports: [443], hosts: [] };
  const queue = createMemoryQueues({ clock, random, visibilitySeconds: VISIBILITY_SECONDS, ...queues });
  const tasks = createMemoryTaskStore({ clock, ttlLateMs });
  const routingStore = createMemoryRoutingStore({ clock });
  const { read, write } = routingStore;
  const [permits, backlog] = [createMemoryPermitStore(), createMemoryBacklogStore()];
  const breakers = createMemoryBreakerStore({ clock, lateMs: breakersLateMs });
  return {
    clock,
    random,
    queue,
    dead: queue.dead,
    buckets: createMemoryBucketStore(),
    routing: { shards: 4, shardsPerTenant: 2 },
    routes: { read, write },
    /** What readers know of the routing, late by so many ms. */
    routingMap: routingStore.mapOf,
    watch: queue.watch,
    dedicatedQueues: queue.dedicatedQueues,
    routingSettings: DEFAULT_ROUTING_SETTINGS,
    sensitiveTenants: async (): Promise<readonly string[]> => [],
    permits,
    views: createLaneViews(clock),
    tune: tuneLimit,
    backlog,
    laneReadings: createMemoryLaneReadings({ permits, backlog }),
    breakers,
    breakerList: breakers,
    sightings: createSightings(),
    starts: createMemoryStartStore({ clock }),
    runTally: createRunTally(),
    schedules: createMemoryScheduleStore(),
    webhookSecrets: createMemoryWebhookSecretStore(),
    notifyRules,
    webhooks: createMemoryWebhookSender(notifyRules, receiver),
    notifications: createMemoryNotificationSender(),
    deadTasks: createMemoryDeadList(tasks),
    redrives: createMemoryRedriveStore(),
    quotas: createMemoryQuotaStore(),
    admissions: createMemoryAdmissionStore(),
    control: createMemoryControlQueue(),
    divisions: createMemoryDivisionStore(),
    tasks,
    list: createMemoryTaskList(tasks),
    values: createMemoryValueStore({ clock }),
    types: createMemoryTypeRegistry(types),
    events: createMemoryEventBus(),
    telemetry: createMemoryTelemetry(),
    timer: { sleep: async (_milliseconds: number) => {} },
    hasher: { sha256: (text: string) => createHash('sha256').update(text).digest('base64url') },
  };
}
