import type { Endpoints } from './clients.ts';
import type { Service } from './control-plane.ts';
import type { DebugOptions } from './lambda/debugging.ts';
import type { FunctionState } from './lambda/function.ts';
import type { InvocationOutcome } from './lambda/service.ts';
import type { HostLogEntry } from './log.ts';

export interface HostOptions {
  /** The folder of the synthesised cloud assembly (`cdk.out`). */
  assembly: string;
  /** Port of the first HTTP API on 127.0.0.1; 0 takes any. @default 0 */
  port?: number;
  /** Keep tables, queues, buckets, accepted events and schedules here. @default in memory */
  dataDir?: string;
  /** Added to each function's environment, or to what it says for a function's name, below the function's own variables. */
  env?: Record<string, string> | ((functionName: string) => Record<string, string>);
  /** The addresses by which a function reaches the services, so that something may stand between. @default the services' own */
  endpointsFor?: (functionName: string, endpoints: Endpoints) => Endpoints;
  onLog?: (entry: HostLogEntry) => void;
  /** Invocations that the account runs at once. @default 100 */
  concurrency?: number;
  /** Milliseconds after which an idle execution environment ends. @default 60_000 */
  idleMs?: number;
  /** Waits before Lambda's two retries of a failed asynchronous event, in milliseconds. @default [60_000, 120_000] */
  asyncRetryDelaysMs?: readonly [number, number];
  /** Asked for what no route of the first HTTP API matches, before the answer is a 404. */
  fallback?: Service;
  /** Whether each call of an HTTP API and each run of a function makes a log entry of level `debug`. @default false */
  logCalls?: boolean;
  /** Lets a debugger into functions; no time-out is enforced then. @default none */
  debug?: DebugOptions;
}

export interface Host {
  /** Base URL of the first HTTP API, with no slash at its end. */
  url: string;
  endpoints: Endpoints;
  /** Environment by which an SDK in any process reaches the host's services. */
  clientEnv(): Record<string, string>;
  /** Outputs of all stacks by output key. */
  outputs: Record<string, string>;
  /** `Ref` of a resource by its logical id, or by (a part of) its construct path. */
  physicalId(logicalIdOrPathFragment: string): string | undefined;
  /** Every function as it stands now. */
  functions(): FunctionState[];
  /** Runs a function synchronously; the payload is any JSON value. */
  invoke(functionName: string, payload: unknown): Promise<InvocationOutcome>;
  /** The host's time, ms since the epoch: the machine's, and as much as it has jumped. */
  now(): number;
  /**
   * Moves the clock on: of the host, its functions, queues and stores. What has become due by then comes at once, and
   * late: a schedule fires once, a lease that is over by then has ended. @throws HostError for what is not above 0
   */
  jump(milliseconds: number): void;
  /** Deploys another synthesis over this one; resolves to the functions whose code was swapped. */
  reload(assembly: string): Promise<string[]>;
  close(): Promise<void>;
}
