import { randomUUID } from 'node:crypto';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { arnOf, parseArn } from '../account.ts';
import type { HttpReply, HttpRequest } from '../control-plane.ts';
import type { LogSink } from '../log.ts';
import { EventSource } from '../sqs/event-source.ts';
import type { HostState } from '../state.ts';
import type { LambdaService } from './service.ts';

/** What a call asks for that makes an event source. */
interface Wanted {
  EventSourceArn: string;
  FunctionName: string;
  BatchSize?: number;
  MaximumBatchingWindowInSeconds?: number;
  FunctionResponseTypes?: string[];
  ScalingConfig?: { MaximumConcurrency?: number };
}

const PATH = /^\/2015-03-31\/event-source-mappings\/?([^/]*)$/;

/** The kind of their rows in the host's state: what is made at run time outlives a restart, as queues do. */
const KIND = 'event-source';

/**
 * Event sources that are made at run time, by calls of the Lambda API; those of templates are the deployment's.
 * https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html
 */
export class EventSources {
  private readonly service: LambdaService;
  private readonly sqs: SQSClient;
  private readonly state: HostState;
  private readonly log: LogSink;
  private readonly running = new Map<string, { wanted: Wanted; source: EventSource }>();

  constructor(service: LambdaService, sqs: SQSClient, state: HostState, log: LogSink) {
    this.service = service;
    this.sqs = sqs;
    this.state = state;
    this.log = log;
  }

  /** Starts those of the last run. */
  resume(): void {
    for (const { id, value } of this.state.list(KIND)) this.start(id, JSON.parse(value) as Wanted);
  }

  /** Create, List and Delete, undefined for any other call. */
  async handle(request: HttpRequest): Promise<HttpReply | undefined> {
    const [, id] = PATH.exec(request.path) ?? [];
    if (id === undefined) return undefined;
    if (request.method === 'POST' && id === '') return this.create(JSON.parse(request.body.toString('utf8')) as Wanted);
    if (request.method === 'GET' && id === '') return this.list(request.query);
    if (request.method === 'DELETE' && id !== '') return this.delete(decodeURIComponent(id));
    return undefined;
  }

  async close(): Promise<void> {
    await Promise.all([...this.running.values()].map(({ source }) => source.close()));
  }

  private create(wanted: Wanted): HttpReply {
    if (parseArn(wanted.EventSourceArn)?.service !== 'sqs') {
      return failure(400, 'InvalidParameterValueException', `Unrecognized event source: ${wanted.EventSourceArn}`);
    }
    if (this.service.find(wanted.FunctionName) === undefined) {
      return failure(404, 'ResourceNotFoundException', `Function not found: ${wanted.FunctionName}`);
    }
    const same = [...this.running].find(([, { wanted: other }]) => this.matches(other, wanted.EventSourceArn, wanted.FunctionName));
    if (same !== undefined) {
      return failure(409, 'ResourceConflictException', `An event source mapping with these already exists: UUID ${same[0]}`);
    }
    const id = randomUUID();
    this.state.put(KIND, id, JSON.stringify(wanted));
    this.start(id, wanted);
    return { status: 202, ...json(this.describe(id, wanted, 'Enabled')) };
  }

  private list(query: URLSearchParams): HttpReply {
    const [arn, name] = [query.get('EventSourceArn') ?? undefined, query.get('FunctionName') ?? undefined];
    const found = [...this.running].filter(([, { wanted }]) => this.matches(wanted, arn, name));
    return { status: 200, ...json({ EventSourceMappings: found.map(([id, { wanted }]) => this.describe(id, wanted, 'Enabled')) }) };
  }

  private async delete(id: string): Promise<HttpReply> {
    const found = this.running.get(id);
    if (found === undefined) return failure(404, 'ResourceNotFoundException', 'The resource you requested does not exist.');
    this.running.delete(id);
    this.state.delete(KIND, id);
    await found.source.close();
    return { status: 202, ...json(this.describe(id, found.wanted, 'Deleting')) };
  }

  private start(id: string, wanted: Wanted): void {
    const source = new EventSource(
      {
        queueName: parseArn(wanted.EventSourceArn)?.resource ?? '',
        queueArn: wanted.EventSourceArn,
        functionReference: wanted.FunctionName,
        batchSize: wanted.BatchSize ?? 10,
        batchingWindowSeconds: wanted.MaximumBatchingWindowInSeconds ?? 0,
        reportsBatchItemFailures: wanted.FunctionResponseTypes?.includes('ReportBatchItemFailures') ?? false,
        maximumConcurrency: wanted.ScalingConfig?.MaximumConcurrency,
      },
      this.sqs,
      this.service,
      this.log,
    );
    this.running.set(id, { wanted, source });
    source.start();
  }

  private matches(wanted: Wanted, arn: string | undefined, functionName: string | undefined): boolean {
    if (arn !== undefined && wanted.EventSourceArn !== arn) return false;
    const fnOf = (reference: string): string | undefined => this.service.find(reference)?.fn.configuration.name;
    return functionName === undefined || fnOf(wanted.FunctionName) === fnOf(functionName);
  }

  private describe(id: string, wanted: Wanted, state: 'Enabled' | 'Deleting'): object {
    const { FunctionName, ...given } = wanted;
    const FunctionArn = this.service.find(FunctionName)?.arn;
    return { UUID: id, EventSourceMappingArn: arnOf('lambda', `event-source-mapping:${id}`), FunctionArn, ...given, State: state };
  }
}

function json(body: object): { headers: Record<string, string>; body: string } {
  return { headers: { 'content-type': 'application/json', 'x-amzn-requestid': randomUUID() }, body: JSON.stringify(body) };
}

function failure(status: number, type: string, message: string): HttpReply {
  const { headers, body } = json({ Type: 'User', message, Message: message });
  return { status, headers: { ...headers, 'x-amzn-errortype': type }, body };
}
