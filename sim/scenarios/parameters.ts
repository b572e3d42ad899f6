/**
 * What the scenarios assume of the services and of the platform, each with its source. "ours" is a default of this
 * repository, "assumed" a plain number of the right size that no result hangs on: it is the same for every alternative.
 */
export const PARAMETERS = {
  /** ms from a send to SQS until an idle poller has the message: at least, and on average more (exponential). Assumed: tens of ms. */
  transitMs: { least: 8, more: 12 },
  /** Messages that one invocation gets. Ours: `BATCH_SIZE` of lib/pool and lib/outcomes. */
  batch: 10,
  /** ms that dispatch takes for a batch: permits, claims, `Invoke`. Assumed; `npm run bench:path` measures as much on the embedded host. */
  dispatchMs: 40,
  /** ms more for putting what finds its lane full into the backlog. Assumed: one conditional write and one batch. */
  parkMs: 15,
  /** ms from `Invoke` with `Event` until the handler runs. Assumed. */
  eventStartMs: 20,
  /** ms that settle takes for a batch. Assumed: two writes one after the other. */
  settleMs: 25,
  /** Tasks of a backlog that are taken in one go. Ours: `AT_ONCE` of core/dispatch/drain.ts. */
  drainAtOnce: 50,
  /** ms for a batch out of the backlog: read the cells, read the backlog, permits, claims, `Invoke`. Assumed. */
  drainMs: 50,
  /** ms from the end of an attempt that is waited for to the start of one that was claimed ahead. Assumed: `Invoke` alone, on a connection that is open. */
  passMs: 5,
  /** Invocations that an event source begins with, adds each minute, and has at most: Lambda Developer Guide, "Using Lambda with Amazon SQS", scaling for standard queues. */
  pollers: { first: 5, perMinute: 300, most: 1_250 },
  /** Messages in flight of a standard queue: SQS Developer Guide, "Message quotas". */
  inFlight: 120_000,
  /** s of a message's visibility while a consumer parks it instead of a backlog; alternatives only. SQS's default. */
  visibilitySeconds: 30,
  /** Until a throttled attempt is tried again. Ours: `FREE_BACKOFF` of core/settle/decide.ts. */
  freeBackoff: { minDelaySeconds: 1, maxDelaySeconds: 60, factor: 2 },
  /** ms after which a throttled invocation says so. Assumed: one round trip. */
  throttleMs: 15,
  /** s that Lambda keeps an asynchronous event that it can't run. Ours: `EVENT_AGE_SECONDS`. */
  eventAgeSeconds: 60,
  /** s between two tries of an asynchronous event that is throttled: Lambda Developer Guide, "Asynchronous invocation": from 1 s on, twice as long each time, 5 minutes at most. */
  eventBackoffSeconds: { first: 1, factor: 2, most: 300 },
  /** ms that a routing document, quotas, pressure and the depths of queues may be old in an environment. Ours. */
  cacheMs: 5_000,
  /** ms between two runs of control, and until it acts upon news. Ours: `rate(1 minute)`, and the bound of the design. */
  control: { everyMs: 60_000, newsMs: 10_000 },
  /** Environments of submit, of dispatch and of settle that policies with memory of their own are run in. Assumed: 5,000 submissions a second at 5 ms. */
  environments: 25,
  /** Shard queues and shards of a tenant, where a scenario does not say otherwise. Ours: the defaults of `TaskPlatform`. */
  shards: 8,
  shardsPerTenant: 2,
  /** Attempts at once of a lane, where a scenario does not say otherwise. Ours: the default of `TaskType`. */
  concurrency: 10,
  /** ms after which dispatch reads breakers anew: while all are closed, and while one is not. Ours: decision 0017. */
  breakerReadMs: { closed: 10_000, broken: 3_000 },
  /** ms after which a probe of which nothing is heard counts as lost. Ours: the lease. */
  leaseMs: 120_000,
  /** Attempts that crash until a task is quarantined. Ours: `LIMITS.crashes`. */
  crashes: 3,
  /** Requests a second and burst of the API. Ours: `requestsPerSecond` and `requestBurst` of `TaskPlatform`. */
  api: { perSecond: 5_000, burst: 2_500 },
} as const;
