import type { LogSink } from '../log.ts';
import {
  MAX_OUTPUT_BYTES,
  type RuntimeEnd,
  type RuntimeError,
  type RuntimeMessage,
  type RuntimeOptions,
  type RuntimeProcess,
  type RuntimeRequest,
  type StartRuntime,
} from './runtime-process.ts';

/** What one run of the handler came to: the payload is JSON text. */
export interface RunResult {
  payload: string;
  functionError?: 'Unhandled';
}

/** What one run took. */
export interface RunReport {
  /** Milliseconds from the moment that the code was loaded. */
  durationMs: number;
  /** The first run of its environment, which waited for its start. */
  coldStart: boolean;
  /** MB of its process alone, after the run; 0 where the system does not tell. */
  memoryMb: number;
}

/** Time for loading the code, in milliseconds. Lambda gives 10 s; many cold starts on two cores may need longer. */
const INIT_TIMEOUT_MS = 30_000;

/**
 * One execution environment: loads the code once, then serves one request at a time.
 * A time-out, an exit or a crash ends it; the request then gets the error that Lambda gives.
 * https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
 */
export class Environment {
  /** The version of the code it runs, so that a swapped function can tell old environments from new. */
  readonly generation: number;
  private readonly options: RuntimeOptions;
  private readonly log: LogSink;
  private readonly process: RuntimeProcess;
  private readonly started: Promise<RuntimeError | undefined>;
  private readonly ending = Promise.withResolvers<void>();
  private settleStart: (error: RuntimeError | undefined) => void = () => undefined;
  private settleRun: ((result: RunResult) => void) | undefined;
  private fatal: RuntimeError | undefined;
  private requestId: string | undefined;
  private outputBytes = 0;
  private runs = 0;
  private dead = false;
  /** `ws://…` of its inspector, when it was started with one. */
  inspectorUrl: string | undefined;

  constructor(start: StartRuntime, options: RuntimeOptions, generation: number, log: LogSink) {
    this.options = options;
    this.generation = generation;
    this.log = log;
    this.started = new Promise((resolve) => (this.settleStart = resolve));
    const timer = this.limit(INIT_TIMEOUT_MS, () => {
      void this.destroy();
      this.settleStart({ errorType: 'Sandbox.Timedout', errorMessage: `Init timed out after ${INIT_TIMEOUT_MS / 1000} seconds` });
    });
    void this.started.then(() => clearTimeout(timer));
    this.process = start(options, {
      message: (message) => this.receive(message),
      output: (stream, text) => this.output(stream, text),
      end: (end) => this.ended(end),
    });
  }

  get alive(): boolean {
    return !this.dead;
  }

  /** Resolves when the code is loaded, or never will be. */
  async whenStarted(): Promise<void> {
    await this.started;
  }

  /** Resolves when its process is gone. */
  whenEnded(): Promise<void> {
    return this.ending.promise;
  }

  /** Runs the handler once; never rejects. */
  async run(request: RuntimeRequest): Promise<RunResult & { report: RunReport }> {
    this.requestId = request.requestId;
    this.outputBytes = 0;
    const initError = await this.started;
    const began = performance.now();
    const result = await this.runStarted(request, initError);
    this.runs += 1;
    const report = { durationMs: performance.now() - began, coldStart: this.runs === 1, memoryMb: this.process.memoryMb() };
    return { ...result, report };
  }

  private async runStarted(request: RuntimeRequest, initError: RuntimeError | undefined): Promise<RunResult> {
    if (initError !== undefined) {
      await this.destroy();
      return failed(initError);
    }
    if (this.dead) return failed(this.endError({ reason: 'exit', status: 0 }));
    return new Promise((resolve) => {
      const timer = this.limit(request.timeoutMs, () => {
        const seconds = (request.timeoutMs / 1000).toFixed(2);
        void this.destroy();
        this.settleRun?.(
          failed({
            errorType: 'Sandbox.Timedout',
            errorMessage: `RequestId: ${request.requestId} Error: Task timed out after ${seconds} seconds`,
          }),
        );
      });
      this.settleRun = (result) => {
        clearTimeout(timer);
        this.settleRun = undefined;
        resolve(result);
      };
      this.process.send(request);
    });
  }

  setClock(offsetMs: number): void {
    if (!this.dead) this.process.setClock(offsetMs);
  }

  async destroy(): Promise<void> {
    this.dead = true;
    await this.process.kill();
    this.ending.resolve();
    this.settleStart({ errorType: 'Runtime.ExitError', errorMessage: 'The environment was shut down.' });
    this.settleRun?.(failed({ errorType: 'Runtime.ExitError', errorMessage: 'The environment was shut down.' }));
  }

  private limit(milliseconds: number, end: () => void): NodeJS.Timeout | undefined {
    return this.options.timeLimits ? setTimeout(end, milliseconds) : undefined;
  }

  private receive(message: RuntimeMessage): void {
    switch (message.type) {
      case 'ready':
        return this.settleStart(undefined);
      case 'initError':
        return this.settleStart(message.error);
      case 'inspector':
        this.inspectorUrl = message.url;
        return this.log({
          level: 'info',
          source: 'inspector',
          functionName: this.options.functionName,
          message: message.url,
        });
      case 'result':
        return this.settleRun?.({ payload: message.payload });
      case 'error':
        return this.settleRun?.(failed(message.error));
      case 'fatal':
        this.fatal = message.error;
    }
  }

  private ended(end: RuntimeEnd): void {
    this.dead = true;
    this.ending.resolve();
    const error = this.fatal ?? this.endError(end);
    this.settleStart(error);
    this.settleRun?.(failed(error));
  }

  private endError(end: RuntimeEnd): RuntimeError {
    const prefix = `RequestId: ${this.requestId ?? '-'} Error: Runtime exited`;
    switch (end.reason) {
      case 'memory':
        return { errorType: 'Runtime.OutOfMemory', errorMessage: `${prefix} with error: signal: killed` };
      case 'signal':
        return { errorType: 'Runtime.ExitError', errorMessage: `${prefix} with error: signal: ${end.signal}` };
      case 'failure':
        return { errorType: 'Runtime.ExitError', errorMessage: `${prefix} with error: ${end.message}` };
      case 'exit': {
        const how = end.status === 0 ? ' without providing a reason' : ` with error: exit status ${end.status}`;
        return { errorType: 'Runtime.ExitError', errorMessage: prefix + how };
      }
    }
  }

  private output(stream: 'stdout' | 'stderr', text: string): void {
    const over = this.outputBytes > MAX_OUTPUT_BYTES * 1.1;
    this.outputBytes += text.length;
    if (over) return;
    this.log({
      level: 'info',
      source: 'lambda',
      functionName: this.options.functionName,
      ...(this.requestId === undefined ? {} : { requestId: this.requestId }),
      stream,
      message: text.endsWith('\n') ? text.slice(0, -1) : text,
    });
  }
}

function failed(error: RuntimeError): RunResult {
  return { payload: JSON.stringify(error), functionError: 'Unhandled' };
}
