import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { accountEnvironment, REGION } from './account.ts';
import { readAssembly } from './assembly/read.ts';
import { createClients, endpointEnvironment, type Endpoints } from './clients.ts';
import { HostClock } from './clock.ts';
import { ControlPlane } from './control-plane.ts';
import { createDelivery } from './delivery.ts';
import { CustomResources } from './deployment/custom-resource.ts';
import { dataStoreProviders } from './deployment/data-stores.ts';
import { Deployment } from './deployment/deployment.ts';
import { eventProviders } from './deployment/events.ts';
import { httpApiProviders } from './deployment/http-api.ts';
import { lambdaProviders } from './deployment/lambda.ts';
import { HostError } from './errors.ts';
import { EventBuses, handleEvents } from './events/event-bus.ts';
import type { Host, HostOptions } from './host-options.ts';
import type { HttpApi } from './http-api/api.ts';
import { HttpApiServer } from './http-api/server.ts';
import { AsyncQueue } from './lambda/async-queue.ts';
import { ColdStartGate } from './lambda/environment-pool.ts';
import { EventSources } from './lambda/event-sources.ts';
import { handleLambda } from './lambda/http.ts';
import { Debugging } from './lambda/debugging.ts';
import { LambdaService } from './lambda/service.ts';
import { createLogSink } from './log.ts';
import { handleScheduler } from './scheduler/http.ts';
import { Scheduler } from './scheduler/scheduler.ts';
import { startDynamoDb } from './servers/dynamodb.ts';
import type { ServerThread } from './servers/server-thread.ts';
import { startSqsAndS3 } from './servers/sqs-s3.ts';
import { HostState } from './state.ts';

export type { HostLogEntry } from './log.ts';
export { HostError } from './errors.ts';
export type { Host, HostOptions } from './host-options.ts';

/** Cold starts that load code at once; more only slow each other down on two cores. */
const COLD_STARTS_AT_ONCE = 4;

/** Starts AWS on one machine for a synthesised assembly: all wiring comes from its templates. */
export async function startHost(options: HostOptions): Promise<Host> {
  // Read first: a wrong folder must not start anything.
  const assembly = await readAssembly(options.assembly);
  const closers: (() => Promise<void> | void)[] = [];
  try {
    return await assemble(options, assembly, closers);
  } catch (error) {
    await closeAll(closers);
    throw error;
  }
}

async function assemble(
  options: HostOptions,
  assembly: Awaited<ReturnType<typeof readAssembly>>,
  closers: (() => Promise<void> | void)[],
): Promise<Host> {
  const log = createLogSink(options.onLog);
  const scratchDirectory = mkdtempSync(join(tmpdir(), 'sluice-host-'));
  closers.push(() => rmSync(scratchDirectory, { recursive: true, force: true }));
  const state = new HostState(options.dataDir);
  closers.push(() => state.close());

  const clock = new HostClock();
  const controlPlane = new ControlPlane();
  closers.push(() => controlPlane.close());
  const [dynamodb, sqsAndS3, controlPort] = await startServers(options, state, controlPlane, closers, log);
  const controlUrl = `http://127.0.0.1:${controlPort}`;
  const endpoints: Endpoints = {
    dynamodb: dynamodb.url,
    sqs: sqsAndS3.url,
    s3: sqsAndS3.url,
    lambda: controlUrl,
    eventbridge: controlUrl,
    scheduler: controlUrl,
  };
  const clients = createClients(endpoints);
  closers.push(() => clients.close());

  const lambda = new LambdaService(
    {
      log,
      gate: new ColdStartGate(COLD_STARTS_AT_ONCE),
      environment: (name) => ({
        ...endpointEnvironment(options.endpointsFor?.(name, endpoints) ?? endpoints),
        ...(typeof options.env === 'function' ? options.env(name) : options.env),
      }),
      callbackPort: controlPort,
      clockOffsetMs: () => clock.offsetMs,
      idleMs: options.idleMs ?? 60_000,
      debugging: options.debug === undefined ? undefined : new Debugging(options.debug),
      logRuns: options.logCalls ?? false,
    },
    options.concurrency ?? 100,
  );
  closers.push(() => lambda.close());
  const deliver = createDelivery(() => ({ sqs: clients.sqs, lambda, asyncQueue, eventBuses }));
  const asyncQueue = new AsyncQueue(lambda, {
    state,
    clock,
    send: deliver,
    log,
    functionErrorDelaysMs: options.asyncRetryDelaysMs,
  });
  closers.push(() => asyncQueue.close());
  const eventBuses = new EventBuses(state, deliver, log, () => clock.now());
  closers.push(() => eventBuses.close());
  const eventSources = new EventSources(lambda, clients.sqs, state, log);
  closers.push(() => eventSources.close());
  const scheduleGroups = new Set(['default']);
  const scheduler = new Scheduler({
    state,
    clock,
    log,
    send: (arn, body, target) =>
      deliver(arn, body, {
        detailType: target.EventBridgeParameters?.DetailType ?? 'Scheduled Event',
        source: target.EventBridgeParameters?.Source ?? 'aws.scheduler',
        ...(target.SqsParameters?.MessageGroupId === undefined ? {} : { messageGroupId: target.SqsParameters.MessageGroupId }),
      }),
  });
  closers.push(() => scheduler.close());
  const customResources = new CustomResources(lambda, state, controlUrl);
  controlPlane.add((request) => handleLambda(request, lambda, asyncQueue));
  controlPlane.add((request) => eventSources.handle(request));
  controlPlane.add((request) => handleEvents(request, eventBuses));
  controlPlane.add((request) => handleScheduler(request, scheduler, scheduleGroups));
  controlPlane.add((request) => customResources.handle(request));

  const apiServers = new Map<string, HttpApiServer>();
  const now = (): number => clock.now();
  const serverOptions = { now, timeLimits: options.debug === undefined, logCalls: options.logCalls ?? false };
  const first = new HttpApiServer(lambda, log, { ...serverOptions, fallback: options.fallback });
  closers.push(() => first.close());
  await first.listen(options.port ?? 0);
  const serve = async (api: HttpApi): Promise<string> => {
    let server = apiServers.get(api.id);
    if (server === undefined) {
      server = apiServers.size === 0 ? first : new HttpApiServer(lambda, log, serverOptions);
      apiServers.set(api.id, server);
      if (server !== first) {
        closers.push(() => server?.close());
        await server.listen(0);
        server.ready = true;
      }
      server.api = api;
    }
    return server.url;
  };
  const changed = new Set<string>();
  const deployment = new Deployment({
    providers: {
      ...dataStoreProviders(clients, log),
      ...lambdaProviders({ service: lambda, clients, log, scratchDirectory, onCodeChange: (name) => changed.add(name) }),
      ...httpApiProviders(serve),
      ...eventProviders(scheduler, scheduleGroups, eventBuses),
    },
    customResource: (request) => customResources.apply(request),
    rewriteAddress: (text) =>
      text.replace(
        new RegExp(`https://([0-9a-f]{10})\\.execute-api\\.${REGION}\\.amazonaws\\.com`, 'g'),
        (whole, id: string) => apiServers.get(id)?.url ?? whole,
      ),
  });
  closers.push(() => deployment.close());
  await deployment.apply(assembly);
  first.ready = true;
  asyncQueue.resume();
  eventBuses.resume();
  eventSources.resume();
  scheduler.start();

  let closing: Promise<void> | undefined;
  // One after the other: two at once would undo each other's work.
  let reloading: Promise<unknown> = Promise.resolve();
  return {
    url: first.url,
    endpoints,
    clientEnv: () => ({ ...accountEnvironment(), ...endpointEnvironment(endpoints) }),
    get outputs() {
      return deployment.outputs;
    },
    physicalId: (name) => deployment.physicalId(name),
    functions: () => lambda.states(),
    async invoke(functionName, payload) {
      const target = lambda.find(functionName);
      if (target === undefined) throw new HostError('INVALID_TEMPLATE', `There is no function ${functionName}.`);
      return lambda.invoke(target, JSON.stringify(payload ?? {}));
    },
    now,
    jump(milliseconds) {
      if (!(milliseconds > 0)) throw new HostError('BAD_TIME', `The clock cannot jump by ${milliseconds} ms: give a number above 0.`);
      const offsetMs = clock.offsetMs + milliseconds;
      // What stores and functions say is of the new time before anything happens because of it.
      for (const server of [dynamodb, sqsAndS3]) server.setClock(offsetMs);
      for (const fn of lambda.list()) fn.setClock(offsetMs);
      clock.jump(milliseconds);
    },
    reload(directory) {
      const reloaded = reloading.then(async () => {
        changed.clear();
        await deployment.apply(await readAssembly(directory));
        return [...changed];
      });
      reloading = reloaded.catch(() => undefined);
      return reloaded;
    },
    close: () => (closing ??= closeAll(closers)),
  };
}

async function startServers(
  options: HostOptions,
  state: HostState,
  controlPlane: ControlPlane,
  closers: (() => Promise<void> | void)[],
  log: ReturnType<typeof createLogSink>,
): Promise<[ServerThread, ServerThread, number]> {
  const failed = (error: Error): void => log({ level: 'error', source: 'host', message: error.message });
  const preferred = (name: string): { preferredPort?: number; directory?: string } => {
    const port = state.get('port', name);
    return {
      ...(port === undefined ? {} : { preferredPort: Number(port) }),
      ...(options.dataDir === undefined ? {} : { directory: join(options.dataDir, name) }),
    };
  };
  const opened = async (server: Promise<ServerThread>): Promise<ServerThread> => {
    const thread = await server;
    closers.push(() => thread.close());
    return thread;
  };
  // All are awaited even if one fails, so that none stays open.
  const started = await Promise.allSettled([
    opened(startDynamoDb(preferred('dynamodb'), failed)),
    opened(startSqsAndS3(preferred('sqs-s3'), failed)),
    controlPlane.listen(preferred('control').preferredPort),
  ]);
  const [dynamodb, sqsAndS3, control] = started;
  for (const one of started) if (one.status === 'rejected') throw one.reason;
  if (dynamodb.status !== 'fulfilled' || sqsAndS3.status !== 'fulfilled' || control.status !== 'fulfilled') {
    throw new HostError('SERVER_FAILED', 'A server did not start.');
  }
  state.put('port', 'dynamodb', String(dynamodb.value.port));
  state.put('port', 'sqs-s3', String(sqsAndS3.value.port));
  state.put('port', 'control', String(control.value));
  return [dynamodb.value, sqsAndS3.value, control.value];
}

/** Closes in the reverse order of opening, each one even if another fails. */
async function closeAll(closers: (() => Promise<void> | void)[]): Promise<void> {
  for (const close of closers.splice(0).reverse()) {
    try {
      await close();
    } catch {
      // The others must still be closed.
    }
  }
}
