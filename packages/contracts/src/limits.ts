/** Every limit of the platform, in one place; each is named in the error that it causes. */
export const LIMITS = {
  /** Bytes of one payload as JSON in UTF-8. Larger input belongs in the caller's own S3 object, its key in the payload. */
  payloadBytes: 1_048_576,
  /** Bytes of the whole body of one call: Lambda's 6 MB counts the escaped event. */
  bodyBytes: 4_194_304,
  /** Tasks in one batch submission. */
  batchTasks: 500,
  /** Characters of a task id. */
  idLength: 128,
  /** Characters of a tenant's name. */
  tenantLength: 64,
  /** Characters of a task type's name. */
  typeLength: 64,
  labels: 10,
  labelKeyLength: 64,
  labelValueLength: 256,
  /** Seconds from now to the latest run-at: five years. */
  delaySeconds: 5 * 366 * 86_400,
  /** Seconds that one call may wait for a result; HTTP APIs end a call at 30 s. */
  waitSeconds: 25,
  /** Long polls at once for the whole platform; beyond it a wait is answered 202 at once. */
  waitsAtOnce: 50,
  /** Attempts that a retry policy may allow. */
  attempts: 100,
  /** Lost outcomes (a lease that ends without one) until a task fails as `outcome_unknown`. */
  lostOutcomes: 3,
  /** Attempts that crash their handler until a task is quarantined, unless the whole type crashes. */
  crashes: 3,
  /** Rules of one retry policy that say what failures are taken for. */
  retryRules: 10,
  /** Characters of a pattern in such a rule. */
  retryPatternLength: 128,
  /** Bytes as JSON in UTF-8 of the rules that one task brings: they are in its row. */
  retryRulesBytes: 512,
  /** Seconds: the longest time that a failed or throttled attempt may ask to wait. */
  retryAfterSeconds: 7 * 86_400,
  /** Seconds that a handler may run (Lambda's 15 minutes). */
  timeoutSeconds: 900,
  /** Seconds that a handler may run under the `wait` starter, which keeps dispatch waiting. */
  waitTimeoutSeconds: 120,
  /** Seconds that a handler may run for `start: 'auto'` to wait for it; a longer one is always started as an event. */
  autoTimeoutSeconds: 30,
  /**
   * Bytes of a result as JSON in UTF-8. An asynchronous attempt could not report more, and a type must not break when its
   * starter changes.
   */
  resultBytes: 1_048_576,
  /** Permits of one lane. */
  concurrency: 10_000,
  /** Rates of a lane that hold at once. */
  rates: 2,
  /** Starts in one window of a rate. */
  rateLimit: 100_000,
  /** Seconds of the window of a rate: a day. */
  ratePerSeconds: 86_400,
  /** Bytes of a JSON value kept in the row itself. A row must stay under 1 KB to cost one write unit. */
  inlineBytes: 400,
  /** Bytes of a JSON value kept as an item of its own; larger ones go to S3. */
  itemBytes: 8_192,
  /** Nesting depth of a payload. */
  payloadDepth: 64,
  /** Tenants that a list of heavy hitters may ask for. */
  heavyHitters: 200,
  /** Tasks on one page of a list. */
  listPage: 200,
  /** Days before now, or before `to`, that a list without `from` goes back. */
  listDays: 90,
  /** Ids that one redrive takes. */
  redriveIds: 500,
  /** Tasks a second that a redrive may ask for. */
  redriveRate: 1_000,
  /** Redrives of a tenant that have not ended. */
  redrives: 10,
  /** Redrives on one page of their list. */
  redrivePage: 100,
  /** Tasks in the first wave of a redrive. */
  canaryTasks: 100,
  /** Seconds that a first wave is waited for. */
  canaryWaitSeconds: 86_400,
  /** API tokens of one tenant; twice as many while those that were rotated live out their time. */
  tokens: 100,
  /** Characters of a token's name. */
  tokenNameLength: 64,
  /** Days from now to the expiry of a token: a hundred years. */
  tokenDays: 36_500,
  /** Seconds that a rotated token may go on working: thirty days. */
  tokenGraceSeconds: 30 * 86_400,
  /** Characters of a webhook's URL. It is kept in the task's row. */
  webhookUrlLength: 512,
  /** Characters of the name of a queue for notifications. */
  notificationQueueNameLength: 64,
  /** Seconds that deliveries are signed with a replaced secret too: thirty days. */
  webhookOverlapSeconds: 30 * 86_400,
  /** Secrets that a tenant's webhooks are signed with at once. */
  webhookSecrets: 4,
  /** Schedules of one tenant. */
  schedules: 1_000,
  /** Characters of a schedule's name. */
  scheduleNameLength: 64,
  /** Characters of a cron expression. */
  cronLength: 256,
  /** Seconds between two occurrences at most, where a period is given; cron reaches further. */
  scheduleEverySeconds: 366 * 86_400,
  /** Seconds that jitter may delay an occurrence. */
  jitterSeconds: 3_600,
  /** Occurrences that were missed and run all the same. */
  misfires: 100,
  /** Bytes of the payload of a schedule's task as JSON in UTF-8: it is written anew with each occurrence. */
  schedulePayloadBytes: 8_192,
  /** Attempts at once of all lanes of a task type, or of all that draw on a resource. */
  capacity: 1_000_000,
  /** Resources that a task type may draw on. */
  resourcesOfType: 4,
  /** Characters of a resource's name. */
  resourceNameLength: 64,
  /** Attempts at once that a quota may guarantee or allow. */
  quotaAttempts: 1_000_000,
  /** The weight of a tenant. */
  quotaWeight: 1_000,
  /** Submissions a second that a quota may allow. */
  quotaRate: 100_000,
  /** Submissions at once that it may allow beyond the rate. */
  quotaBurst: 1_000_000,
  /** Waiting tasks that it may allow. */
  quotaBacklog: 100_000_000,
  /** Quotas on one page of their list. */
  quotaPage: 100,
  /** Lanes on one page of their list. */
  lanePage: 100,
  /** Seconds that a class may be promised to wait at most: a week. */
  starvationSeconds: 7 * 86_400,
  /** Times that one task is preempted; then it runs through. */
  preemptions: 3,
  /** Bytes as JSON in UTF-8 of a checkpoint. */
  checkpointBytes: 8_192,
  /** Next times that a preview tells. */
  previewTimes: 100,
} as const;

/**
 * Days after which the bucket deletes an object under `short/`, where all but the payloads of far-away tasks are; those
 * are under `long/`, for as long as a task may last.
 */
export const S3_SHORT_DAYS = 400;

/**
 * Seconds that an asynchronous event may wait for concurrency (Lambda's least). The `TaskType` construct sets it on its
 * alias, and the lease of an attempt is longer by as much.
 */
export const EVENT_AGE_SECONDS = 60;

/** Limits of AWS that decisions depend on. */
export const AWS_LIMITS = {
  /** Seconds: the longest delay of an SQS message. */
  queueDelaySeconds: 900,
  /** Entries of one `SendMessageBatch` or `PutEvents`. */
  batchEntries: 10,
  /** Bytes of one SQS message, of one `SendMessageBatch`, and of one asynchronous Lambda event. */
  messageBytes: 1_048_576,
} as const;
