import { randomBytes } from 'node:crypto';
import { ACCOUNT, accountEnvironment, arnOf } from '../account.ts';
import type { LogSink } from '../log.ts';
import { startChildProcess } from './child-process.ts';
import { Environment, type RunResult } from './environment.ts';
import { EnvironmentPool, type ColdStartGate } from './environment-pool.ts';
import type { RuntimeRequest } from './runtime-process.ts';

export interface FunctionConfiguration {
  name: string;
  /** `nodejs24.x`, `python3.13`, … */
  runtime: string;
  handler: string;
  memoryMb: number;
  timeoutMs: number;
  /** Undefined draws on the account's unreserved concurrency; 0 stops the function. */
  reservedConcurrency: number | undefined;
  environment: Record<string, string>;
  codeDirectory: string;
  /** Changes when the code does. */
  codeId: string;
}

/** What all functions of one host share. */
export interface FunctionSurroundings {
  log: LogSink;
  gate: ColdStartGate;
  /** Addresses of the services, and what the host's user adds to each function. */
  environment: Record<string, string>;
  callbackPort: number;
  idleMs: number;
}

/** A deployed function: its configuration, which a reload may swap, and its environments. */
export class LambdaFunction {
  readonly arn: string;
  private current: FunctionConfiguration;
  private readonly surroundings: FunctionSurroundings;
  private readonly pool: EnvironmentPool;
  private generation = 0;
  private environments = 0;

  constructor(configuration: FunctionConfiguration, surroundings: FunctionSurroundings) {
    this.current = configuration;
    this.surroundings = surroundings;
    this.arn = arnOf('lambda', `function:${configuration.name}`);
    this.pool = new EnvironmentPool(() => this.createEnvironment(), surroundings.gate, surroundings.idleMs);
  }

  get configuration(): FunctionConfiguration {
    return this.current;
  }

  /** Later requests run with the new configuration; those that run now finish on the old one. */
  configure(configuration: FunctionConfiguration): void {
    this.current = configuration;
    this.generation += 1;
    this.pool.useGeneration(this.generation);
  }

  run(request: Omit<RuntimeRequest, 'timeoutMs' | 'traceId'>): Promise<RunResult> {
    return this.pool.run({ ...request, timeoutMs: this.current.timeoutMs, traceId: newTraceId() });
  }

  close(): Promise<void> {
    return this.pool.close();
  }

  private createEnvironment(): Environment {
    const { name, runtime, handler, memoryMb, environment, codeDirectory } = this.current;
    this.environments += 1;
    const logGroupName = `/aws/lambda/${name}`;
    const logStreamName = `local/[$LATEST]${this.generation}.${this.environments}`;
    const options = {
      codeDirectory,
      handler,
      runtime,
      memoryMb,
      functionName: name,
      logGroupName,
      logStreamName,
      callbackPort: this.surroundings.callbackPort,
      environment: {
        PATH: process.env['PATH'] ?? '',
        LANG: 'en_US.UTF-8',
        TZ: ':UTC',
        // A developer's own profiles must not reach a function: it could talk to a real account.
        AWS_CONFIG_FILE: '/dev/null',
        AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
        AWS_ACCOUNT_ID: ACCOUNT,
        ...accountEnvironment(),
        AWS_LAMBDA_FUNCTION_NAME: name,
        AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
        AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(memoryMb),
        AWS_LAMBDA_LOG_GROUP_NAME: logGroupName,
        AWS_LAMBDA_LOG_STREAM_NAME: logStreamName,
        AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
        AWS_EXECUTION_ENV: `AWS_Lambda_${runtime}`,
        LAMBDA_TASK_ROOT: codeDirectory,
        _HANDLER: handler,
        ...this.surroundings.environment,
        ...environment,
      },
    };
    return new Environment(startChildProcess, options, this.generation, this.surroundings.log);
  }
}

/** A trace header as X-Ray forms it; nothing is sampled. */
function newTraceId(): string {
  const time = Math.floor(Date.now() / 1000).toString(16);
  return `Root=1-${time}-${randomBytes(12).toString('hex')};Parent=${randomBytes(8).toString('hex')};Sampled=0`;
}
