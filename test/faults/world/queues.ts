import { DeleteMessageBatchCommand, GetQueueAttributesCommand, ReceiveMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { taskEventSchema, type TaskEvent } from '@sluice/contracts';
import * as z from 'zod';

/** Messages of a queue, wherever they are: visible, in flight or delayed. */
export async function depthOf(sqs: SQSClient, queueUrl: string): Promise<number> {
  const names = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible', 'ApproximateNumberOfMessagesDelayed'] as const;
  const { Attributes = {} } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: [...names] }));
  return names.reduce((sum, name) => sum + Number(Attributes[name] ?? 0), 0);
}

/** Everything that is told on the platform's bus, as a rule of the bus puts it into a queue. */
export class ToldEvents {
  private readonly sqs: SQSClient;
  private readonly queueUrl: string;
  private readonly events = new Map<string, TaskEvent>();
  private readonly stop = new AbortController();
  private loop: Promise<void> | undefined;

  constructor(sqs: SQSClient, queueUrl: string) {
    this.sqs = sqs;
    this.queueUrl = queueUrl;
  }

  start(): void {
    this.loop ??= this.poll();
  }

  async close(): Promise<void> {
    this.stop.abort();
    await this.loop;
  }

  /** An event by its id, which is the same for each copy of it. */
  get(eventId: string): TaskEvent | undefined {
    return this.events.get(eventId);
  }

  private async poll(): Promise<void> {
    const { queueUrl: QueueUrl } = this;
    while (!this.stop.signal.aborted) {
      try {
        const command = new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 2 });
        const { Messages = [] } = await this.sqs.send(command, { abortSignal: this.stop.signal });
        for (const { Body = '' } of Messages) {
          const { detail } = z.object({ detail: taskEventSchema }).parse(JSON.parse(Body));
          this.events.set(detail.eventId, detail);
        }
        if (Messages.length === 0) continue;
        const Entries = Messages.map(({ ReceiptHandle }, n) => ({ Id: String(n), ReceiptHandle }));
        await this.sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
      } catch (error) {
        // What was not answered or not deleted comes again; what is no event is somebody's fault.
        if (error instanceof z.ZodError) throw error;
      }
    }
  }
}
