import { DeleteMessageBatchCommand, ReceiveMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { notificationSchema, webhookBodySchema } from '@sluice/contracts';
import { createServer } from 'node:https';
import { listenOnLoopback } from '../../../local/servers/listen.ts';
import type { Certificate } from '../../helpers/certificate.ts';

/** The queue that ends of tasks may be told to. */
export const ENDS_QUEUE = 'ends';

/** Whom ends are told: a server that takes webhooks, and the reader of a queue. Both know events by their ids. */
export class Receivers {
  readonly webhooks = new Set<string>();
  readonly messages = new Set<string>();
  private readonly stop = new AbortController();
  private readonly server;
  private port = 0;
  private loop: Promise<void> | undefined;

  constructor({ cert, key }: Certificate) {
    this.server = createServer({ cert, key }, (incoming, outgoing) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('end', () => {
        const { data } = webhookBodySchema.parse(JSON.parse(Buffer.concat(chunks).toString('utf8')));
        this.webhooks.add(data.eventId);
        outgoing.writeHead(204).end();
      });
    });
  }

  /** Where webhooks of a run go. */
  url(tenant: string): string {
    return `https://127.0.0.1:${this.port}/${tenant}`;
  }

  async listen(): Promise<void> {
    this.port = await listenOnLoopback(this.server, 0);
  }

  read(sqs: SQSClient, queueUrl: string): void {
    this.loop ??= this.poll(sqs, queueUrl);
  }

  async close(): Promise<void> {
    this.stop.abort();
    await this.loop;
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections();
    await closed;
  }

  private async poll(sqs: SQSClient, QueueUrl: string): Promise<void> {
    while (!this.stop.signal.aborted) {
      const command = new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 2 });
      // What was not answered or not deleted comes again.
      const { Messages = [] } = await sqs.send(command, { abortSignal: this.stop.signal }).catch(() => ({ Messages: [] }));
      for (const { Body = '' } of Messages) this.messages.add(notificationSchema.parse(JSON.parse(Body)).eventId);
      if (Messages.length === 0) continue;
      const Entries = Messages.map(({ ReceiptHandle }, n) => ({ Id: String(n), ReceiptHandle }));
      await sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries })).catch(() => undefined);
    }
  }
}
