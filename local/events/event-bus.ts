import { randomUUID } from 'node:crypto';
import { ACCOUNT, REGION } from '../account.ts';
import type { HttpReply, HttpRequest } from '../control-plane.ts';
import { messageOf } from '../errors.ts';
import type { SendToArn } from '../lambda/destinations.ts';
import type { LogSink } from '../log.ts';
import type { HostState } from '../state.ts';
import { matchesPattern } from './pattern.ts';

export interface EventRule {
  name: string;
  bus: string;
  pattern: unknown;
  enabled: boolean;
  targets: EventTarget[];
}

export interface EventTarget {
  arn: string;
  /** Sent instead of the event. */
  input: string | undefined;
  /** `$.detail`, … sent instead of the whole event. */
  inputPath: string | undefined;
  deadLetterArn: string | undefined;
}

interface PutEventsEntry {
  Time?: number;
  Source?: string;
  Resources?: string[];
  DetailType?: string;
  Detail?: string;
  EventBusName?: string;
}

/** An accepted event on its way to one target. */
interface Delivery {
  id: string;
  rule: string;
  arn: string;
  body: string;
  deadLetterArn: string | undefined;
}

const KIND = 'event';

/** Event buses with their rules: an event goes to the targets of each rule that it matches. */
export class EventBuses {
  private readonly buses = new Set(['default']);
  private readonly rules = new Map<string, EventRule>();
  private readonly state: HostState;
  private readonly send: SendToArn;
  private readonly log: LogSink;
  private readonly now: () => number;
  private closed = false;

  constructor(state: HostState, send: SendToArn, log: LogSink, now: () => number = Date.now) {
    this.now = now;
    this.state = state;
    this.send = send;
    this.log = log;
  }

  /** Takes up what an earlier process accepted and did not deliver. */
  resume(): void {
    for (const { value } of this.state.list(KIND)) void this.deliver(JSON.parse(value) as Delivery);
  }

  close(): void {
    this.closed = true;
  }

  putBus(name: string): void {
    this.buses.add(name);
  }

  deleteBus(name: string): void {
    this.buses.delete(name);
  }

  putRule(rule: EventRule): void {
    this.rules.set(`${rule.bus}/${rule.name}`, rule);
  }

  deleteRule(bus: string, name: string): void {
    this.rules.delete(`${bus}/${name}`);
  }

  /** Accepts one event: it is kept until each target has it; delivery goes on after this returns. */
  put(entry: PutEventsEntry): { EventId: string } | { ErrorCode: string; ErrorMessage: string } {
    const bus = entry.EventBusName?.split('/').at(-1) ?? 'default';
    if (entry.Source === undefined || entry.DetailType === undefined || entry.Detail === undefined) {
      return { ErrorCode: 'InvalidArgument', ErrorMessage: 'Source, DetailType and Detail are required.' };
    }
    if (!this.buses.has(bus)) return { ErrorCode: 'NotFound', ErrorMessage: `Event bus ${bus} does not exist.` };
    let detail: unknown;
    try {
      detail = JSON.parse(entry.Detail);
    } catch {
      return { ErrorCode: 'MalformedDetail', ErrorMessage: 'Detail is malformed.' };
    }
    const id = randomUUID();
    const event = {
      version: '0',
      id,
      'detail-type': entry.DetailType,
      source: entry.Source,
      account: ACCOUNT,
      time: `${new Date(entry.Time === undefined ? this.now() : entry.Time * 1000).toISOString().slice(0, 19)}Z`,
      region: REGION,
      resources: entry.Resources ?? [],
      detail,
    };
    for (const rule of this.rules.values()) {
      if (rule.bus !== bus || !rule.enabled || !matchesPattern(rule.pattern, event)) continue;
      for (const { arn, input, inputPath, deadLetterArn } of rule.targets) {
        const body = input ?? JSON.stringify(at(event, inputPath));
        const delivery: Delivery = { id: randomUUID(), rule: rule.name, arn, body, deadLetterArn };
        this.state.put(KIND, delivery.id, JSON.stringify(delivery));
        void this.deliver(delivery);
      }
    }
    return { EventId: id };
  }

  private async deliver({ id, rule, arn, body, deadLetterArn }: Delivery): Promise<void> {
    const detail = { detailType: 'Event', source: 'events' };
    try {
      await this.send(arn, body, detail);
    } catch (error) {
      // A send that fails because the host closes is for the next process.
      if (this.closed) return;
      const text = `Rule ${rule} could not reach ${arn}: ${messageOf(error)}`;
      this.log({ level: 'error', source: 'events', message: text });
      if (deadLetterArn !== undefined) await this.send(deadLetterArn, body, detail).catch(() => undefined);
    }
    if (!this.closed) this.state.delete(KIND, id);
  }
}

/** The value at a plain path, `$.detail.task`. */
function at(event: object, path: string | undefined): unknown {
  const names = (path ?? '$').split('.').slice(1);
  return names.reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], event) ?? null;
}

/** PutEvents, undefined for any other operation: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html */
export function handleEvents(request: HttpRequest, buses: EventBuses): HttpReply | undefined {
  if (request.headers['x-amz-target'] !== 'AWSEvents.PutEvents') return undefined;
  const headers = { 'content-type': 'application/x-amz-json-1.1' };
  const { Entries: entries = [] } = JSON.parse(request.body.toString('utf8')) as { Entries?: PutEventsEntry[] };
  if (entries.length < 1 || entries.length > 10) {
    const text = `1 to 10 entries are accepted, not ${entries.length}.`;
    return { status: 400, headers, body: JSON.stringify({ __type: 'ValidationException', message: text }) };
  }
  const results = entries.map((entry) => buses.put(entry));
  const failed = results.filter((result) => 'ErrorCode' in result).length;
  return { status: 200, headers, body: JSON.stringify({ FailedEntryCount: failed, Entries: results }) };
}
