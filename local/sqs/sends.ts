import { SendMessageBatchCommand, type SQSClient } from '@aws-sdk/client-sqs';

/** What one call takes: entries, and bytes of their bodies together. */
const MAX_ENTRIES = 10;
const MAX_BYTES = 1_048_576;

/** Milliseconds that a first message waits for others. */
const LINGER_MS = 5;

interface Message {
  body: string;
  groupId: string | undefined;
  settle: (error?: Error) => void;
}

/** Sends messages to queues, those that come close together in one call: a call costs more than what it says. */
export class Sends {
  private readonly sqs: SQSClient;
  private readonly waiting = new Map<string, { messages: Message[]; bytes: number; timer: NodeJS.Timeout }>();

  constructor(sqs: SQSClient) {
    this.sqs = sqs;
  }

  /** Resolves when the queue has taken the message. */
  send(queueUrl: string, body: string, groupId: string | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (error?: Error): void => (error === undefined ? resolve() : reject(error));
      const size = Buffer.byteLength(body);
      let batch = this.waiting.get(queueUrl);
      if (batch !== undefined && batch.bytes + size > MAX_BYTES) {
        this.flush(queueUrl);
        batch = undefined;
      }
      if (batch === undefined) {
        batch = { messages: [], bytes: 0, timer: setTimeout(() => this.flush(queueUrl), LINGER_MS) };
        this.waiting.set(queueUrl, batch);
      }
      batch.bytes += size;
      if (batch.messages.push({ body, groupId, settle }) === MAX_ENTRIES) this.flush(queueUrl);
    });
  }

  private flush(queueUrl: string): void {
    const batch = this.waiting.get(queueUrl);
    if (batch === undefined) return;
    clearTimeout(batch.timer);
    this.waiting.delete(queueUrl);
    const { messages } = batch;
    const Entries = messages.map(({ body, groupId }, index) => ({
      Id: String(index),
      MessageBody: body,
      ...(groupId !== undefined && { MessageGroupId: groupId }),
    }));
    this.sqs.send(new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries })).then(
      ({ Failed = [] }) => {
        const failed = new Map(Failed.map(({ Id, Code, Message }) => [Id, new Error(Message ?? Code)]));
        messages.forEach(({ settle }, index) => settle(failed.get(String(index))));
      },
      (error: Error) => messages.forEach(({ settle }) => settle(error)),
    );
  }
}
