export { SluiceClient } from './client.ts';
export type { DeadListFilter, DeadPageFilter, DeadTasks, DeadTasksFilter } from './dead.ts';
export {
  ApiError,
  BadRequestError,
  ClientError,
  ConflictError,
  ConnectionError,
  ForbiddenError,
  GoneError,
  isClientError,
  NotFoundError,
  PayloadTooLargeError,
  SchemaMismatchError,
  ServerError,
  ThrottledError,
  UnauthorizedError,
  WaitTimeoutError,
} from './errors.ts';
export type { ApiErrorCode, ApiErrorOptions, ApiProblem, ClientErrorKind } from './errors.ts';
export type { SluiceClientOptions } from './options.ts';
export type { ScheduleListOptions, ScheduleRunOptions, Schedules } from './schedules.ts';
export type { HeavyHittersOptions } from './heavy-hitters.ts';
export type { BreakerListOptions, Breakers } from './breakers.ts';
export type { LaneFilter, LaneOptions, LanePageFilter, Lanes } from './lanes.ts';
export type { Quotas } from './quotas.ts';
export type { Shards } from './shards.ts';
export type { RedriveOptions, Redrives, RedriveWaitOptions } from './redrives.ts';
export type { RotateOptions, Tokens } from './tokens.ts';
export type { WebhookSecretOptions, WebhookSecrets } from './webhook-secrets.ts';
export type { Fetch, FetchResponse } from './transport.ts';
export type {
  AnyTasks,
  CallOptions,
  GetOptions,
  ListFilter,
  PageFilter,
  RetryOptions,
  SubmissionOf,
  SubmissionOptions,
  SubmitError,
  SubmitFailure,
  SubmitItem,
  SubmitManyOptions,
  SubmitManyResult,
  SubmitProgress,
  TaskMap,
  TaskOf,
  TaskPage,
  TaskShape,
  TaskSummaryOf,
  WaitOptions,
} from './types.ts';
export type {
  Accepted,
  Cancelled,
  DeadReason,
  DeadResponse,
  DeadTask,
  ErrorCode,
  Health,
  IssuedToken,
  IssuedWebhookSecret,
  Notification,
  Notify,
  Preview,
  PreviewRequest,
  Priority,
  ScheduleRequest,
  ScheduleView,
  Redrive,
  RedrivePlan,
  RedriveRequest,
  RedriveState,
  RetryRequest,
  Scope,
  Submission,
  TaskSummary,
  TaskView,
  TaskViewState,
  TokenRequest,
  TokenView,
  WebhookBody,
  WebhookSecretRequest,
  WebhookSecretView,
} from '@sluice/contracts';
