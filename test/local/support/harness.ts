import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SQSClient, ReceiveMessageCommand, DeleteMessageCommand } from '@aws-sdk/client-sqs';
import { App, Stack } from 'aws-cdk-lib';
import { Code, Function as LambdaFunction, Runtime, type FunctionProps } from 'aws-cdk-lib/aws-lambda';
import { startHost, type Host, type HostLogEntry, type HostOptions } from '../../../local/host.ts';

const folders: string[] = [];

/** A folder that is removed when the test process ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  if (folders.length === 0) {
    process.on('exit', () => folders.forEach((path) => rmSync(path, { recursive: true, force: true })));
  }
  folders.push(folder);
  return folder;
}

/** Synthesises one stack named `Test` and returns the assembly's folder. */
export function synthesise(build: (stack: Stack) => void, outdir = join(temporaryFolder(), 'cdk.out')): string {
  const app = new App({ outdir, analyticsReporting: false, builtinCloudFormationValidation: false });
  build(new Stack(app, 'Test'));
  app.synth();
  return outdir;
}

/** A Node.js function of a few lines. */
export function inlineFunction(stack: Stack, id: string, code: string, props: Partial<FunctionProps> = {}): LambdaFunction {
  return new LambdaFunction(stack, id, {
    functionName: id,
    runtime: Runtime.NODEJS_22_X,
    handler: 'index.handler',
    code: Code.fromInline(code),
    ...props,
  });
}

export interface RunningHost extends Host {
  logs: HostLogEntry[];
  sqs: SQSClient;
  /** Polls until the logs hold an entry that matches. */
  logged(matches: (entry: HostLogEntry) => boolean): Promise<HostLogEntry>;
}

export async function start(assembly: string, options: Partial<HostOptions> = {}): Promise<RunningHost> {
  const logs: HostLogEntry[] = [];
  const host = await startHost({ assembly, onLog: (entry) => logs.push(entry), ...options });
  const sqs = new SQSClient({ ...clientConfig(host.endpoints.sqs) });
  const close = host.close.bind(host);
  return Object.assign(host, {
    logs,
    sqs,
    logged: (matches: (entry: HostLogEntry) => boolean) => eventually(() => logs.find(matches)),
    close: () => {
      sqs.destroy();
      return close();
    },
  });
}

const open: { close(): Promise<void> | void }[] = [];

/** Starts a host that `closeAll` closes. */
export async function run(assembly: string, options: Partial<HostOptions> = {}): Promise<RunningHost> {
  const host = await start(assembly, options);
  open.push(host);
  return host;
}

/** Takes a client or server that `closeAll` closes. */
export function using<T extends { destroy(): void } | { close(): unknown }>(one: T): T {
  open.push({ close: () => void ('destroy' in one ? one.destroy() : one.close()) });
  return one;
}

/** Closes what `run` and `using` opened, the last first. */
export async function closeAll(): Promise<void> {
  for (const one of open.splice(0).reverse()) await one.close();
}

export function clientConfig(endpoint: string) {
  return { endpoint, region: 'us-east-1', credentials: { accessKeyId: 'test', secretAccessKey: 'test' } };
}

/** Asks again until there is an answer; the test's own time-out ends it. */
export async function eventually<T>(ask: () => T | undefined | false | Promise<T | undefined | false>): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Parsed JSON that a test looks into. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Parsed = Record<string, any>;

/** Takes messages off a queue, parsed, until one matches. */
export async function received(host: RunningHost, queueUrl: string, matches: (body: Parsed) => boolean = () => true): Promise<Parsed> {
  return eventually(async () => {
    const { Messages: messages = [] } = await host.sqs.send(
      new ReceiveMessageCommand({ QueueUrl: queueUrl, WaitTimeSeconds: 1, MaxNumberOfMessages: 1 }),
    );
    for (const message of messages) {
      await host.sqs.send(new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle: message.ReceiptHandle }));
      const body = JSON.parse(message.Body ?? 'null') as Parsed;
      if (matches(body)) return body;
    }
    return undefined;
  });
}
