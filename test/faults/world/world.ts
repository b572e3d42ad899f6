import { SYSTEM_TYPES, taskTypeSpecSchema, type RoutingDocument } from '@sluice/contracts';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createBacklogStore } from '../../../adapters/aws/backlog-store.ts';
import { createAdmissionStore } from '../../../adapters/aws/admission-store.ts';
import { createBucketStore } from '../../../adapters/aws/bucket-store.ts';
import { createDivisionStore } from '../../../adapters/aws/division-store.ts';
import { TYPES_PARTITION } from '../../../adapters/aws/keys.ts';
import { createHintQueue } from '../../../adapters/aws/hint-queue.ts';
import { createPermitStore } from '../../../adapters/aws/permit-store.ts';
import { createQuotaStore } from '../../../adapters/aws/quota-store.ts';
import { createRedriveStore } from '../../../adapters/aws/redrive-store.ts';
import { createRoutingStore } from '../../../adapters/aws/routing-store.ts';
import { createTaskStore } from '../../../adapters/aws/task-store.ts';
import { createScheduleStore } from '../../../adapters/aws/schedule-store.ts';
import { createTokenStore } from '../../../adapters/aws/token-store.ts';
import { createResourceWriter, createTypeRegistry, createTypeWriter } from '../../../adapters/aws/type-registry.ts';
import { systemClock as clock, systemRandom as random } from '../../../adapters/system.ts';
import { NO_ROUTING } from '../../../core/routing/next-document.ts';
import type { Telemetry } from '../../../core/ports/telemetry.ts';
import { startHost, type Host, type HostLogEntry } from '../../../local/host.ts';
import { PLATFORM, synthesisePlatform } from '../app/synth.ts';
import { FaultProxy } from '../proxy/proxy.ts';
import { instrumentFunctions } from '../sites/instrument.ts';
import { nameOf, type Scan } from '../sites/scan.ts';
import { ToldEvents } from './queues.ts';
import { Complaints } from './complaints.ts';
import { makeCertificate } from '../../helpers/certificate.ts';
import { Receivers } from './receivers.ts';
import { Rows } from './rows.ts';
import { Sightings } from './sightings.ts';
import { Successes } from './successes.ts';

export type World = Awaited<ReturnType<typeof startWorld>>;

/** What a function of the platform is named on the host. */
export function hostNameOf(fn: string): string {
  return `${PLATFORM}-${fn}`;
}

/** The platform on the embedded host, with the proxy between its functions and the services. */
export async function startWorld(root: string, scanned: Scan, onLog: (entry: HostLogEntry) => void) {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-faults-'));
  const assemblies = { first: join(folder, 'first'), later: join(folder, 'later') };
  const proxy = new FaultProxy();
  const successes = new Successes();
  const complaints = new Complaints();
  const sightings = new Sightings();
  const certificate = makeCertificate(['127.0.0.1']);
  const receivers = new Receivers(certificate);
  proxy.onCall = (call) => sightings.note(call);
  let host: Host | undefined;
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    for (const [name, out] of Object.entries(assemblies)) {
      synthesisePlatform(out, certificate.cert, name === 'later');
      await instrumentFunctions(root, out, PLATFORM, scanned);
    }
    await proxy.listen();
    await receivers.listen();
    const fnOf = (functionName: string): string | undefined =>
      functionName.startsWith(`${PLATFORM}-`) ? functionName.slice(PLATFORM.length + 1) : undefined;
    host = await startHost({
      assembly: assemblies.first,
      endpointsFor: (name, services) => {
        const fn = fnOf(name);
        return fn === undefined ? services : proxy.endpointsFor(fn, services);
      },
      env: (name) => ({ POWERTOOLS_LOG_LEVEL: 'DEBUG', SLUICE_FAULTS_FETCH: proxy.fetchUrlFor(fnOf(name) ?? name) }),
      onLog: (entry) => {
        successes.note(entry);
        complaints.note(entry);
        onLog(entry);
      },
      concurrency: 200,
    });
    const { outputs } = host;
    const output = (name: string): string => {
      const value = outputs[name];
      if (value === undefined) throw new Error(`the stack has no output ${name}`);
      return value;
    };
    const clients = clientsOf(host);
    const table = output('TableName');
    await shortenFires(clients, table);
    const routes = createRoutingStore(clients.dynamodb, { table });
    await routes.write(ROUTING);
    const telemetry: Telemetry = { count: () => undefined, measure: () => undefined, log: () => undefined };
    const events = new ToldEvents(clients.sqs, output('EventsUrl'));
    events.start();
    receivers.read(clients.sqs, output('EndsUrl'));
    const shardQueues = Object.entries(outputs).flatMap(([name, url]) => (name.startsWith('ShardQueue') ? [url] : []));
    return {
      host,
      proxy,
      clients,
      events,
      receivers,
      successes,
      complaints,
      sightings,
      /** The names of all call sites. */
      sites: new Set(scanned.sites.map(nameOf)),
      assemblies,
      table,
      rows: new Rows(clients.dynamodb, table),
      /** The stores, past the proxy and with the rights of whoever deployed the platform. */
      tasks: createTaskStore(clients.dynamodb, { table, listIndex: true, clock, telemetry }),
      permits: createPermitStore(clients.dynamodb, { table }),
      backlog: createBacklogStore(clients.dynamodb, { table, random, telemetry }),
      buckets: createBucketStore(clients.dynamodb, { table, random, telemetry }),
      schedules: createScheduleStore(clients.dynamodb, { table }),
      redrives: createRedriveStore(clients.dynamodb, { table }),
      types: createTypeRegistry(clients.dynamodb, { table, clock, telemetry }),
      typeWriter: createTypeWriter(clients.dynamodb, { table }),
      resourceWriter: createResourceWriter(clients.dynamodb, { table }),
      tokens: createTokenStore(clients.dynamodb, { table }),
      routes,
      quotas: createQuotaStore(clients.dynamodb, { table }),
      divisions: createDivisionStore(clients.dynamodb, { table }),
      admissions: createAdmissionStore(clients.dynamodb, { table, telemetry }),
      /** The URL of each queue up to its priority and shard. */
      queuePrefix: prefixOf(shardQueues),
      queue: createHintQueue(clients.sqs, { queueUrlPrefix: prefixOf(shardQueues), random, telemetry }),
      queues: {
        shards: shardQueues,
        outcomes: output('OutcomesQueueUrl'),
        outcomesDead: output('OutcomesDeadUrl'),
        hintsDead: output('HintsDeadUrl'),
      },
      close: async () => {
        await events.close();
        await receivers.close();
        for (const client of [clients.dynamodb, clients.sqs, clients.lambda]) client.destroy();
        await host?.close();
        await proxy.close();
        remove();
      },
    };
  } catch (error) {
    await host?.close();
    await proxy.close().catch(() => undefined);
    await receivers.close().catch(() => undefined);
    remove();
    throw error;
  }
}

export const RESIDENT = 'resident';

/**
 * A tenant that nobody else is, with queues of its own: functions ask for a routing that says something anew every few
 * seconds.
 */
const ROUTING: RoutingDocument = {
  ...NO_ROUTING,
  version: 1,
  generations: 1,
  dedicated: [{ tenant: RESIDENT, generation: 1, state: 'creating', since: Date.now() }],
};

/** Less than dispatch has here, which waits for a fire's end: else it would leave it to one that has more. */
const FIRE_SECONDS = 8;

/** Gives the fires of schedules less time, as dispatch has less. */
async function shortenFires({ dynamodb }: ReturnType<typeof clientsOf>, TableName: string): Promise<void> {
  const Key = { p: TYPES_PARTITION, s: SYSTEM_TYPES.fire };
  const { Item: item } = await dynamodb.send(new GetCommand({ TableName, Key }));
  const spec = taskTypeSpecSchema.parse(JSON.parse(String(item?.['spec'])));
  await dynamodb.send(new PutCommand({ TableName, Item: { ...item, spec: JSON.stringify({ ...spec, timeoutSeconds: FIRE_SECONDS }) } }));
}

/** As patient as a machine is busy: only the platform's own calls have its time-outs. */
const PATIENT = { maxAttempts: 6, requestHandler: { connectionTimeout: 30_000, requestTimeout: 60_000 } };

function clientsOf(host: Host): { dynamodb: DynamoDBDocumentClient; sqs: SQSClient; lambda: LambdaClient } {
  const { AWS_ACCESS_KEY_ID: accessKeyId = '', AWS_SECRET_ACCESS_KEY: secretAccessKey = '', AWS_REGION: region = '' } = host.clientEnv();
  const { endpoints } = host;
  const config = { ...PATIENT, region, credentials: { accessKeyId, secretAccessKey } };
  const dynamodb = new DynamoDBClient({ ...config, endpoint: endpoints.dynamodb });
  return {
    dynamodb: DynamoDBDocumentClient.from(dynamodb, { marshallOptions: { removeUndefinedValues: true } }),
    sqs: new SQSClient({ ...config, endpoint: endpoints.sqs, useQueueUrlAsEndpoint: false }),
    lambda: new LambdaClient({ ...config, endpoint: endpoints.lambda }),
  };
}

/** The URL of every shard queue up to its priority and shard. */
function prefixOf(urls: readonly string[]): string {
  const [, prefix] = /^(.*-)(?:high|normal|low)-\d+$/.exec(urls[0] ?? '') ?? [];
  if (prefix === undefined) throw new Error(`no shard queue: ${urls[0]}`);
  return prefix;
}
