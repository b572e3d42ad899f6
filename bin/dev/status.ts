import { GetQueueAttributesCommand, ListQueuesCommand } from '@aws-sdk/client-sqs';
import { ScanCommand } from '@aws-sdk/lib-dynamodb';
import type { TaskRow } from '@sluice/contracts';
import { createClients, createTaskList, createTypeRegistry, ROW_SORT, taskOfPartition, type Clients } from '../../adapters/aws/index.ts';
import { systemClock as clock, systemRandom as random } from '../../adapters/system.ts';
import type { Telemetry } from '../../core/ports/telemetry.ts';
import type { Host } from '../../local/host.ts';
import type { Problem } from './problems.ts';

/** What the status page shows; times are ms since the epoch. */
export interface Status {
  readonly version: string;
  readonly url: string;
  readonly startedAt: number;
  readonly now: number;
  /** Where everything is kept, `null` for in memory. */
  readonly data: string | null;
  readonly types: readonly TypeStatus[];
  readonly queues: readonly { readonly name: string; readonly visible: number; readonly inFlight: number; readonly delayed: number }[];
  readonly tasks: TaskCounts;
  readonly latest: readonly LatestTask[];
  /** The platform's own functions. */
  readonly functions: readonly FunctionStatus[];
  readonly problems: readonly Problem[];
}

export interface FunctionStatus {
  /** What people know it by. */
  readonly title: string;
  readonly busy: number;
  readonly idle: number;
  readonly runs: number;
  readonly errors: number;
}

export interface TypeStatus {
  readonly type: string;
  readonly start: string;
  /** Of each lane. */
  readonly concurrency: number;
  readonly timeoutSeconds: number;
  readonly handler: FunctionStatus | null;
}

export interface TaskCounts {
  /** Rows that were counted, and whether those are all. */
  readonly counted: number;
  readonly complete: boolean;
  readonly tenants: readonly { readonly tenant: string; readonly states: Readonly<Record<string, number>> }[];
}

export interface LatestTask {
  readonly tenant: string;
  readonly id: string;
  readonly type: string;
  readonly state: string;
  readonly reason: string | null;
  readonly attempts: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly acceptedAt: number;
  readonly endedAt: number | null;
  readonly error: string | null;
}

export interface StatusSource {
  readonly host: Host;
  readonly version: string;
  readonly data: string | undefined;
  /** Tenants that are looked for beside those that the scan meets. */
  readonly tenants: readonly string[];
  readonly isPlatform: (functionName: string) => boolean;
  readonly problems: () => readonly Problem[];
}

/** Pages of 1 MB that a scan reads at most. */
const SCAN_PAGES = 4;
const LATEST = 20;
/** A scan is made again after so many times the time that it took: looking on must not slow what is looked at. */
const SCAN_REST = 20;
const SCAN_REST_MS = 2000;
const DAY_MS = 86_400_000;
const ALL_UIDS = { after: '0'.repeat(26), before: 'Z'.repeat(26) };

const silent: Telemetry = { count: () => undefined, measure: () => undefined, log: () => undefined };

/** Reads the platform's state, for whoever asks. */
export class StatusReader {
  private readonly source: StatusSource;
  private readonly clients: Clients;
  private readonly table: string;
  private readonly types;
  private readonly list;
  private readonly startedAt = clock.now();
  private counts: TaskCounts = { counted: 0, complete: true, tenants: [] };
  private countAgainAt = 0;
  private reading: Promise<Status> | undefined;

  constructor(source: StatusSource) {
    this.source = source;
    const { endpoints, outputs } = source.host;
    this.clients = createClients({
      dynamodbEndpoint: endpoints.dynamodb,
      sqsEndpoint: endpoints.sqs,
      region: 'us-east-1',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    });
    this.table = outputs['TableName'] ?? '';
    this.types = createTypeRegistry(this.clients.dynamodb, { table: this.table, clock, telemetry: silent, refreshSeconds: 2 });
    this.list = createTaskList(this.clients.dynamodb, { table: this.table, random, telemetry: silent });
  }

  /** However many pages ask at once, the platform is asked once. */
  read(): Promise<Status> {
    this.reading ??= this.readNow().finally(() => {
      this.reading = undefined;
    });
    return this.reading;
  }

  private async readNow(): Promise<Status> {
    const { host, version, data, isPlatform, problems } = this.source;
    const [types, queues, tasks] = await Promise.all([this.readTypes(), this.readQueues(), this.countTasks()]);
    return {
      version,
      url: host.url,
      startedAt: this.startedAt,
      now: host.now(),
      data: data ?? null,
      types,
      queues,
      tasks,
      latest: await this.readLatest(),
      functions: host
        .functions()
        .filter(({ name }) => isPlatform(name))
        .map(functionStatus),
      problems: problems(),
    };
  }

  private async readTypes(): Promise<TypeStatus[]> {
    const functions = this.source.host.functions();
    const specs = await Promise.all((await this.types.names()).map((name) => this.types.get(name)));
    return specs.flatMap((spec) => {
      if (spec === undefined) return [];
      const { type, start, concurrency, timeoutSeconds } = spec;
      const handler = functions.find(({ name }) => spec.handler.arn.split(':').includes(name));
      return [{ type, start, concurrency, timeoutSeconds, handler: handler === undefined ? null : functionStatus(handler) }];
    });
  }

  private async readQueues(): Promise<Status['queues']> {
    const { sqs } = this.clients;
    const { QueueUrls = [] } = await sqs.send(new ListQueuesCommand({ MaxResults: 1000 }));
    return Promise.all(
      QueueUrls.map(async (QueueUrl) => {
        const { Attributes = {} } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }));
        return {
          name: QueueUrl.split('/').at(-1) ?? '',
          visible: Number(Attributes['ApproximateNumberOfMessages'] ?? 0),
          inFlight: Number(Attributes['ApproximateNumberOfMessagesNotVisible'] ?? 0),
          delayed: Number(Attributes['ApproximateNumberOfMessagesDelayed'] ?? 0),
        };
      }),
    );
  }

  private async countTasks(): Promise<TaskCounts> {
    const began = clock.now();
    if (began < this.countAgainAt) return this.counts;
    const tenants = new Map<string, Record<string, number>>();
    let counted = 0;
    let from: Record<string, unknown> | undefined;
    for (let page = 0; page < SCAN_PAGES && (page === 0 || from !== undefined); page += 1) {
      const { Items = [], LastEvaluatedKey } = await this.clients.dynamodb.send(
        new ScanCommand({
          TableName: this.table,
          FilterExpression: 's = :row',
          ExpressionAttributeValues: { ':row': ROW_SORT },
          ProjectionExpression: 'p, #state',
          ExpressionAttributeNames: { '#state': 'state' },
          ExclusiveStartKey: from,
        }),
      );
      for (const { p, state } of Items) {
        const { tenant } = taskOfPartition(String(p));
        const states = tenants.get(tenant) ?? {};
        tenants.set(tenant, states);
        states[String(state)] = (states[String(state)] ?? 0) + 1;
        counted += 1;
      }
      from = LastEvaluatedKey;
    }
    const now = clock.now();
    this.countAgainAt = now + Math.max(SCAN_REST_MS, (now - began) * SCAN_REST);
    this.counts = {
      counted,
      complete: from === undefined,
      tenants: [...tenants].map(([tenant, states]) => ({ tenant, states })).sort((a, b) => (a.tenant < b.tenant ? -1 : 1)),
    };
    return this.counts;
  }

  private async readLatest(): Promise<LatestTask[]> {
    const tenants = new Set([...this.source.tenants, ...this.counts.tenants.map(({ tenant }) => tenant)]);
    const today = this.source.host.now();
    const rows = await Promise.all(
      [...tenants].map(async (tenant) => {
        const days = await Promise.all([today, today - DAY_MS].map((day) => this.list.newest(tenant, day, ALL_UIDS, LATEST)));
        const listed = days.flatMap(({ tasks }) => tasks).slice(0, LATEST);
        // An id that was used again is listed twice; its row is the newer one's.
        const uids = new Set(listed.map(({ uid }) => uid));
        return (
          await this.list.rows(
            tenant,
            listed.map(({ id }) => id),
          )
        ).filter(({ uid }) => uids.has(uid));
      }),
    );
    return rows
      .flat()
      .sort((a, b) => (a.uid < b.uid ? 1 : -1))
      .slice(0, LATEST)
      .map(latestTask);
  }
}

function latestTask(row: TaskRow): LatestTask {
  return {
    tenant: row.tenant,
    id: row.id,
    type: row.type,
    state: row.state === 'running' && row.cancelAt !== undefined ? 'cancelling' : row.state,
    reason: row.reason ?? null,
    attempts: row.attempts,
    labels: row.labels ?? {},
    acceptedAt: row.acceptedAt,
    endedAt: row.endedAt ?? null,
    error: row.error === undefined ? null : `${row.error.name}: ${row.error.message}`,
  };
}

function functionStatus({ title, busy, idle, runs, errors }: FunctionStatus): FunctionStatus {
  return { title, busy, idle, runs, errors };
}
