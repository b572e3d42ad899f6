import { randomUUID } from 'node:crypto';
import { parseArn } from '../account.ts';
import type { LogSink } from '../log.ts';
import { ConcurrencyPool, type ThrottleReason } from './concurrency.ts';
import { LambdaFunction, type FunctionConfiguration, type FunctionState, type FunctionSurroundings } from './function.ts';
import type { RunReport } from './environment.ts';

/** A function and the qualifier that it is called by. */
export interface InvocationTarget {
  fn: LambdaFunction;
  /** An alias, a version, or undefined when the caller gave none. */
  qualifier: string | undefined;
  /** The version that runs: `$LATEST` or a number. All versions run the code deployed last. */
  version: string;
  /** The ARN as the function sees it, with the qualifier if the caller gave one. */
  arn: string;
}

export interface Completed {
  requestId: string;
  /** JSON text. */
  payload: string;
  functionError?: 'Unhandled';
  executedVersion: string;
}

export type InvocationOutcome = ({ kind: 'completed' } & Completed) | { kind: 'throttled'; reason: ThrottleReason };

export type Begun = { kind: 'started'; completion: Promise<Completed> } | { kind: 'throttled'; reason: ThrottleReason };

/** What an asynchronous invocation through one qualifier obeys. */
export interface EventInvokeConfig {
  /** 0 to 2. */
  maximumRetryAttempts: number;
  maximumEventAgeSeconds: number;
  onSuccess: string | undefined;
  onFailure: string | undefined;
}

export const DEFAULT_EVENT_INVOKE_CONFIG: EventInvokeConfig = {
  maximumRetryAttempts: 2,
  maximumEventAgeSeconds: 21_600,
  onSuccess: undefined,
  onFailure: undefined,
};

const THROTTLES_TOLD_EVERY_MS = 5_000;

/** The functions of the host with their aliases, versions and concurrency; runs them for whoever calls. */
export class LambdaService {
  readonly concurrency: ConcurrencyPool;
  private readonly surroundings: FunctionSurroundings;
  private readonly log: LogSink;
  private readonly functions = new Map<string, LambdaFunction>();
  private readonly qualifiers = new Map<string, string>();
  private readonly versionCounts = new Map<string, number>();
  private readonly eventConfigs = new Map<string, EventInvokeConfig>();
  private readonly throttlesTold = new Map<string, number>();

  constructor(surroundings: FunctionSurroundings, concurrencyLimit: number) {
    this.surroundings = surroundings;
    this.log = surroundings.log;
    this.concurrency = new ConcurrencyPool(concurrencyLimit);
  }

  /** Deploys a function or swaps its configuration and code. */
  put(configuration: FunctionConfiguration): LambdaFunction {
    this.concurrency.reserve(configuration.name, configuration.reservedConcurrency);
    const existing = this.functions.get(configuration.name);
    if (existing !== undefined) {
      existing.configure(configuration);
      return existing;
    }
    const created = new LambdaFunction(configuration, this.surroundings);
    this.functions.set(configuration.name, created);
    return created;
  }

  async delete(name: string): Promise<void> {
    const fn = this.functions.get(name);
    this.functions.delete(name);
    this.concurrency.reserve(name, undefined);
    await fn?.close();
  }

  list(): LambdaFunction[] {
    return [...this.functions.values()];
  }

  /** Every function as it stands now. */
  states(): FunctionState[] {
    return this.list().map((fn) => fn.state());
  }

  /** Publishes a version number; it runs whatever code is deployed. */
  publishVersion(functionName: string): string {
    const version = String((this.versionCounts.get(functionName) ?? 0) + 1);
    this.versionCounts.set(functionName, Number(version));
    this.qualifiers.set(`${functionName}:${version}`, version);
    return version;
  }

  putAlias(functionName: string, alias: string, version: string): void {
    this.qualifiers.set(`${functionName}:${alias}`, version);
  }

  deleteQualifier(functionName: string, qualifier: string): void {
    this.qualifiers.delete(`${functionName}:${qualifier}`);
  }

  putEventInvokeConfig(functionName: string, qualifier: string, config: EventInvokeConfig | undefined): void {
    const key = `${functionName}:${qualifier}`;
    if (config === undefined) this.eventConfigs.delete(key);
    else this.eventConfigs.set(key, config);
  }

  eventInvokeConfigOf(target: InvocationTarget): EventInvokeConfig {
    const key = `${target.fn.configuration.name}:${target.qualifier ?? '$LATEST'}`;
    return this.eventConfigs.get(key) ?? DEFAULT_EVENT_INVOKE_CONFIG;
  }

  /** The function behind a name, a partial or a full ARN, each with or without a qualifier; undefined if there is none. */
  find(reference: string, givenQualifier?: string): InvocationTarget | undefined {
    const resource = parseArn(reference)?.resource ?? reference;
    const parts = resource.split(':');
    const start = parts.indexOf('function');
    const [name, ownQualifier] = start < 0 ? parts : parts.slice(start + 1);
    const fn = this.functions.get(name ?? '');
    if (fn === undefined) return undefined;
    const qualifier = givenQualifier ?? ownQualifier;
    if (qualifier === undefined) return { fn, qualifier, version: '$LATEST', arn: fn.arn };
    const version = qualifier === '$LATEST' ? '$LATEST' : this.qualifiers.get(`${name}:${qualifier}`);
    return version === undefined ? undefined : { fn, qualifier, version, arn: `${fn.arn}:${qualifier}` };
  }

  /** Runs a function once, if there is concurrency for it. The event is JSON text. */
  async invoke(target: InvocationTarget, event: string, requestId: string = randomUUID()): Promise<InvocationOutcome> {
    const begun = this.begin(target, event, requestId);
    return begun.kind === 'throttled' ? begun : { kind: 'completed', ...(await begun.completion) };
  }

  /** As `invoke`, but says at once whether the function was throttled. */
  begin(target: InvocationTarget, event: string, requestId: string): Begun {
    const { name } = target.fn.configuration;
    const reason = this.concurrency.tryAcquire(name);
    if (reason !== undefined) {
      this.tellThrottle(name, reason);
      return { kind: 'throttled', reason };
    }
    return { kind: 'started', completion: this.run(target, event, requestId) };
  }

  /** What waits for the next receive of its message seems to hang otherwise. */
  private tellThrottle(functionName: string, reason: ThrottleReason): void {
    const now = performance.now();
    if (now - (this.throttlesTold.get(functionName) ?? -Infinity) < THROTTLES_TOLD_EVERY_MS) return;
    this.throttlesTold.set(functionName, now);
    this.log({ level: 'warn', source: 'lambda', functionName, message: `throttled: ${reason}, as ${this.concurrency.describe()} run` });
  }

  private async run(target: InvocationTarget, event: string, requestId: string): Promise<Completed> {
    const { name } = target.fn.configuration;
    try {
      const { report, ...result } = await target.fn.run({
        requestId,
        event,
        invokedFunctionArn: target.arn,
        functionVersion: target.version,
      });
      if (this.surroundings.logRuns) {
        this.log({ level: 'debug', source: 'lambda', functionName: name, requestId, message: textOfRun(report, result.functionError) });
      }
      if (result.functionError !== undefined) {
        this.log({ level: 'error', source: 'lambda', functionName: name, requestId, message: result.payload });
      }
      return { requestId, executedVersion: target.version, ...result };
    } finally {
      this.concurrency.release(name);
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.list().map((fn) => fn.close()));
  }
}

function textOfRun({ durationMs, coldStart, memoryMb }: RunReport, functionError: string | undefined): string {
  return [
    `${functionError === undefined ? 'ran' : 'failed after'} ${Math.round(durationMs)} ms`,
    ...(coldStart ? ['cold start'] : []),
    ...(memoryMb > 0 ? [`${Math.round(memoryMb)} MB`] : []),
  ].join(', ');
}
