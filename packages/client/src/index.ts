export { SluiceClient } from './client.ts';
export type { SluiceClientOptions } from './client.ts';
export { ApiError, ClientError, ConnectionError, isClientError, SchemaMismatchError, WaitTimeoutError } from './errors.ts';
export type { ClientErrorKind } from './errors.ts';
export type { Fetch } from './transport.ts';
export type {
  AnyTasks,
  CallOptions,
  GetOptions,
  SubmissionOf,
  SubmissionOptions,
  SubmitItem,
  SubmitManyOptions,
  SubmitManyResult,
  SubmitProgress,
  TaskMap,
  TaskOf,
  TaskShape,
  WaitOptions,
} from './types.ts';
