import { randomBytes } from 'node:crypto';
import { ACCOUNT, accountEnvironment, arnOf } from '../account.ts';
import type { LogSink } from '../log.ts';
import { startChildProcess } from './child-process.ts';
import { Environment, type RunReport, type RunResult } from './environment.ts';
import { EnvironmentPool, type ColdStartGate } from './environment-pool.ts';
import { debugEnvironment, type Debugging } from './debugging.ts';
import type { RuntimeOptions, RuntimeRequest } from './runtime-process.ts';

export interface FunctionConfiguration {
  name: string;
  /** What people know it by: its name, or where it is in the app when its name is made up. */
  title: string;
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
  /** Addresses of the services, and what the host's user adds to a function. */
  environment: (functionName: string) => Record<string, string>;
  /** Undefined when no debugger is wanted. */
  debugging: Debugging | undefined;
  callbackPort: number;
  /** Milliseconds that the host's clock is ahead of the machine's. @default 0 */
  clockOffsetMs?: () => number;
  idleMs: number;
  /** Whether each run is told in the log. */
  logRuns: boolean;
}

/** A function as it stands at one moment. */
export interface FunctionState {
  name: string;
  /** What people know it by: its name, or where it is in the app when its name is made up. */
  title: string;
  runtime: string;
  memoryMb: number;
  timeoutMs: number;
  /** Environments that run a request, or start for one. */
  busy: number;
  idle: number;
  /** `ws://…` of each environment's inspector. */
  inspectors: string[];
  /** Runs since the host started, and those that ended with an error. */
  runs: number;
  errors: number;
}

/** What a run has for its time in ms where no time-out is enforced: Lambda's longest. */
const UNTIMED_MS = 900_000;

/** A deployed function: its configuration, which a reload may swap, and its environments. */
export class LambdaFunction {
  readonly arn: string;
  private current: FunctionConfiguration;
  private readonly surroundings: FunctionSurroundings;
  private readonly pool: EnvironmentPool;
  private generation = 0;
  private environments = 0;
  private runs = 0;
  private errors = 0;

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

  async run(request: Omit<RuntimeRequest, 'timeoutMs' | 'traceId'>): Promise<RunResult & { report: RunReport }> {
    const timeoutMs = this.surroundings.debugging === undefined ? this.current.timeoutMs : UNTIMED_MS;
    const result = await this.pool.run({ ...request, timeoutMs, traceId: newTraceId() });
    this.runs += 1;
    if (result.functionError !== undefined) this.errors += 1;
    return result;
  }

  state(): FunctionState {
    const { name, title, runtime, memoryMb, timeoutMs } = this.current;
    return { name, title, runtime, memoryMb, timeoutMs, ...this.pool.state(), runs: this.runs, errors: this.errors };
  }

  /** Moves the clock of its environments; later ones begin with that of its surroundings. */
  setClock(offsetMs: number): void {
    this.pool.setClock(offsetMs);
  }

  close(): Promise<void> {
    return this.pool.close();
  }

  private createEnvironment(): Environment {
    const { name, runtime, handler, memoryMb, environment, codeDirectory } = this.current;
    const { debugging } = this.surroundings;
    const debug = debugging?.begin(name, runtime);
    this.environments += 1;
    const logGroupName = `/aws/lambda/${name}`;
    const logStreamName = `local/[$LATEST]${this.generation}.${this.environments}`;
    const options: RuntimeOptions = {
      codeDirectory,
      handler,
      runtime,
      memoryMb,
      functionName: name,
      logGroupName,
      logStreamName,
      callbackPort: this.surroundings.callbackPort,
      clockOffsetMs: this.surroundings.clockOffsetMs?.() ?? 0,
      timeLimits: debugging === undefined,
      ...(debug !== undefined && { debug }),
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
        ...this.surroundings.environment(name),
        ...environment,
        ...(debug !== undefined && debugEnvironment(debugging, environment)),
      },
    };
    const created = new Environment(startChildProcess, options, this.generation, this.surroundings.log);
    if (debug !== undefined) void created.whenEnded().then(() => debugging?.end(debug));
    return created;
  }
}

/** A trace header as X-Ray forms it; nothing is sampled. */
function newTraceId(): string {
  const time = Math.floor(Date.now() / 1000).toString(16);
  return `Root=1-${time}-${randomBytes(12).toString('hex')};Parent=${randomBytes(8).toString('hex')};Sampled=0`;
}
