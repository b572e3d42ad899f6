export { DeadlineError, type InvocationContext, type TaskContext } from './context.ts';
export { CancelledError, PreemptedError, SupersededError } from './control.ts';
export { defineTask, type TaskDefinition, type TaskHandler } from './define-task.ts';
export {
  EnvelopeError,
  ERROR_CODES,
  FatalError,
  RetryableError,
  ThrottledError,
  type FailureClass,
  type RetryAfterOptions,
} from './errors.ts';
export { ERROR_LIMITS } from './failure.ts';
export { LOG_LEVELS, type LogLevel, type TaskLog } from './logger.ts';
export { EVENT_AND_RESULT_BYTES } from './result.ts';
export { runTask } from './run-task.ts';
