import { GetQueueAttributesCommand, GetQueueUrlCommand, ReceiveMessageCommand, type Message, type SQSClient } from '@aws-sdk/client-sqs';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../errors.ts';
import type { LambdaService } from '../lambda/service.ts';
import type { LogSink } from '../log.ts';
import { Deletions } from './deletions.ts';
import { batchesOf, recordOf, succeededOf } from './records.ts';

export interface EventSourceConfiguration {
  queueName: string;
  queueArn: string;
  /** A function's name or ARN, with its qualifier if it has one. */
  functionReference: string;
  batchSize: number;
  batchingWindowSeconds: number;
  reportsBatchItemFailures: boolean;
  /** Undefined for no limit but the account's. */
  maximumConcurrency: number | undefined;
}

/** Batches at once that a queue begins with, how many a minute are added while it is busy, and the end of that. */
const FIRST_CONCURRENCY = 5;
const CONCURRENCY_PER_MINUTE = 300;
const LAST_CONCURRENCY = 1250;

/** A source that had nothing to do for so long begins again with the first concurrency. */
const QUIET_MS = 60_000;

/** The longest long poll, in seconds. */
const WAIT_SECONDS = 20;

/** Waits after a throttle or a failed call: from the first, doubled, to the last, in milliseconds. */
const [FIRST_BACKOFF_MS, LAST_BACKOFF_MS] = [100, 5000];

/**
 * An SQS event source: one long poll at a time per queue, so that many idle queues cost next to nothing, and as many
 * batches at once as Lambda would run. A failed batch is left to its visibility time-out; a throttled one is tried again until then.
 * https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
 * https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
 */
export class EventSource {
  private readonly configuration: EventSourceConfiguration;
  private readonly sqs: SQSClient;
  private readonly service: LambdaService;
  private readonly log: LogSink;
  private readonly deletions: Deletions;
  private readonly stop = new AbortController();
  private readonly running = new Set<Promise<void>>();
  private loop: Promise<void> | undefined;
  private queueUrl = '';
  private visibilityMs = 0;
  private busySince: number | undefined;
  private lastWork = 0;
  private backoff = 0;
  private wake: () => void = () => undefined;

  constructor(configuration: EventSourceConfiguration, sqs: SQSClient, service: LambdaService, log: LogSink) {
    this.configuration = configuration;
    this.sqs = sqs;
    this.deletions = new Deletions(sqs);
    this.service = service;
    this.log = log;
  }

  start(): void {
    this.loop ??= this.poll();
  }

  /** Stops receiving. Batches that run are not waited for: their messages come back by the visibility time-out. */
  async close(): Promise<void> {
    this.stop.abort();
    this.wake();
    await this.loop;
  }

  private async poll(): Promise<void> {
    let failures = 0;
    while (!this.stop.signal.aborted) {
      try {
        await this.haveRoom();
        if (this.backoff > 0) await sleep(this.backoff, undefined, { signal: this.stop.signal });
        const messages = await this.receive();
        failures = 0;
        for (const batch of batchesOf(messages, this.configuration.batchSize)) this.begin(batch);
      } catch (error) {
        if (this.stop.signal.aborted) return;
        failures += 1;
        const wait = Math.min(FIRST_BACKOFF_MS * 2 ** failures, LAST_BACKOFF_MS);
        this.note('warn', `Receiving from ${this.configuration.queueName} failed: ${messageOf(error)}`);
        await sleep(wait, undefined, { signal: this.stop.signal }).catch(() => undefined);
      }
    }
  }

  private async haveRoom(): Promise<void> {
    while (this.running.size >= this.allowed() && !this.stop.signal.aborted) {
      await new Promise<void>((resolve) => (this.wake = resolve));
    }
  }

  private allowed(): number {
    const now = Date.now();
    if (this.running.size === 0 && now - this.lastWork > QUIET_MS) this.busySince = undefined;
    const busyMs = this.busySince === undefined ? 0 : now - this.busySince;
    const grown = FIRST_CONCURRENCY + Math.floor((busyMs / 60_000) * CONCURRENCY_PER_MINUTE);
    return Math.min(grown, this.configuration.maximumConcurrency ?? LAST_CONCURRENCY, LAST_CONCURRENCY);
  }

  /** One receive, or several within the batching window until the batch is full. */
  private async receive(): Promise<Message[]> {
    const { batchSize, batchingWindowSeconds } = this.configuration;
    const room = Math.max(1, this.allowed() - this.running.size);
    const messages = await this.receiveOnce(Math.min(batchSize * room, 10), WAIT_SECONDS);
    if (batchingWindowSeconds === 0 || messages.length === 0) return messages;
    const end = Date.now() + batchingWindowSeconds * 1000;
    while (messages.length < batchSize && !this.stop.signal.aborted) {
      const left = end - Date.now();
      if (left <= 0) break;
      const seconds = Math.min(WAIT_SECONDS, Math.max(1, Math.floor(left / 1000)));
      messages.push(...(await this.receiveOnce(Math.min(batchSize - messages.length, 10), seconds)));
    }
    return messages;
  }

  private async receiveOnce(count: number, waitSeconds: number): Promise<Message[]> {
    if (this.queueUrl === '') {
      const found = await this.sqs.send(new GetQueueUrlCommand({ QueueName: this.configuration.queueName }), {
        abortSignal: this.stop.signal,
      });
      const queueUrl = found.QueueUrl ?? '';
      const { Attributes: attributes } = await this.sqs.send(
        new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: ['VisibilityTimeout'] }),
        { abortSignal: this.stop.signal },
      );
      this.visibilityMs = Number(attributes?.VisibilityTimeout ?? 0) * 1000;
      this.queueUrl = queueUrl;
    }
    const received = await this.sqs.send(
      new ReceiveMessageCommand({
        QueueUrl: this.queueUrl,
        MaxNumberOfMessages: count,
        WaitTimeSeconds: waitSeconds,
        MessageSystemAttributeNames: ['All'],
        MessageAttributeNames: ['All'],
      }),
      { abortSignal: this.stop.signal },
    );
    return received.Messages ?? [];
  }

  private begin(batch: Message[]): void {
    const now = Date.now();
    this.busySince ??= now;
    this.lastWork = now;
    const work = this.process(batch)
      .catch((error: unknown) => {
        if (!this.stop.signal.aborted) this.note('error', `A batch of ${this.configuration.queueName} failed: ${messageOf(error)}`);
      })
      .then(() => {
        this.running.delete(work);
        this.lastWork = Date.now();
        this.wake();
      });
    this.running.add(work);
  }

  private async process(batch: Message[]): Promise<void> {
    const { functionReference, queueArn, reportsBatchItemFailures } = this.configuration;
    const target = this.service.find(functionReference);
    if (target === undefined) throw new Error(`there is no function ${functionReference}`);
    const event = JSON.stringify({ Records: batch.map((message) => recordOf(message, queueArn)) });
    const hiddenUntil = Date.now() + this.visibilityMs;
    let outcome = await this.service.invoke(target, event);
    while (outcome.kind === 'throttled') {
      this.backoff = Math.min(Math.max(FIRST_BACKOFF_MS, this.backoff * 2), LAST_BACKOFF_MS);
      if (Date.now() + this.backoff >= hiddenUntil) return;
      await sleep(this.backoff, undefined, { signal: this.stop.signal });
      outcome = await this.service.invoke(target, event);
    }
    this.backoff = 0;
    if (outcome.functionError !== undefined || this.stop.signal.aborted) return;
    const done = succeededOf(batch, outcome.payload, reportsBatchItemFailures);
    await Promise.all(done.map((message) => this.deletions.delete(this.queueUrl, message.ReceiptHandle ?? '')));
  }

  private note(level: 'warn' | 'error', message: string): void {
    this.log({ level, source: 'sqs', message });
  }
}
