/** An error as Lambda's runtimes report it: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html */
export interface RuntimeError {
  errorType: string;
  errorMessage: string;
  trace?: string[];
  stackTrace?: string[];
}

/** What the host sends to a runtime: one request at a time. */
export interface RuntimeRequest {
  requestId: string;
  /** The event as JSON text. */
  event: string;
  invokedFunctionArn: string;
  functionVersion: string;
  /** Milliseconds until the function's time-out, counted by the runtime from the moment it reads this. */
  timeoutMs: number;
  traceId: string;
  clientContext?: unknown;
}

/** What a runtime sends to the host. */
export type RuntimeMessage =
  | { type: 'ready' }
  | { type: 'initError'; error: RuntimeError }
  /** Before `ready`, when an inspector was asked for. */
  | { type: 'inspector'; url: string }
  | { type: 'result'; requestId: string; payload: string }
  | { type: 'error'; requestId: string; error: RuntimeError }
  /** The runtime ends after this: an uncaught exception or an unhandled rejection. */
  | { type: 'fatal'; error: RuntimeError };

/** How a runtime ended by itself. */
export type RuntimeEnd =
  { reason: 'exit'; status: number } | { reason: 'memory' } | { reason: 'signal'; signal: string } | { reason: 'failure'; message: string };

export interface RuntimeEvents {
  message(message: RuntimeMessage): void;
  output(stream: 'stdout' | 'stderr', text: string): void;
  /** Once, and not after `kill`. */
  end(end: RuntimeEnd): void;
}

/** One running copy of a function's code. */
export interface RuntimeProcess {
  send(request: RuntimeRequest): void;
  /** What it holds alone, in MB; 0 where the system does not tell (anything but Linux). */
  memoryMb(): number;
  /** Moves its clock: `Date` is so many milliseconds ahead from now on. A Python runtime's clock stays as it is. */
  setClock(offsetMs: number): void;
  kill(): Promise<void>;
}

export interface RuntimeOptions {
  codeDirectory: string;
  handler: string;
  /** `nodejs24.x`, `python3.13`, … */
  runtime: string;
  memoryMb: number;
  environment: Record<string, string>;
  functionName: string;
  logGroupName: string;
  logStreamName: string;
  /** Where custom resources answer; see the Node.js runtime's `https` bridge. */
  callbackPort: number;
  /** Milliseconds that its clock is ahead of the machine's. */
  clockOffsetMs: number;
  /** Whether a run that takes too long is ended: not while a debugger may hold one. */
  timeLimits: boolean;
  /** Lets a debugger in: no limit of memory ends the process, and Node.js opens an inspector, at this port if it is free. */
  debug?: { inspectorPort?: number };
}

export type StartRuntime = (options: RuntimeOptions, events: RuntimeEvents) => RuntimeProcess;

/** Largest synchronous request or response in bytes, and its asynchronous counterpart. */
export const MAX_SYNC_BYTES = 6_291_556;
export const MAX_ASYNC_BYTES = 1_048_576;

/** Output of one invocation that is kept; the rest is counted and dropped, so that no handler can fill the host's memory. */
export const MAX_OUTPUT_BYTES = 1_048_576;
