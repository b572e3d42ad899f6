import { DeleteMessageBatchCommand, type SQSClient } from '@aws-sdk/client-sqs';

/** Messages that one call deletes. */
const MAX_ENTRIES = 10;

/** Deletes messages of one queue, those of small batches together: a call costs more than what it says. */
export class Deletions {
  private readonly sqs: SQSClient;
  private waiting: { receiptHandle: string; settle: (error?: Error) => void }[] = [];
  private timer: NodeJS.Immediate | undefined;

  constructor(sqs: SQSClient) {
    this.sqs = sqs;
  }

  /** Resolves when the message is deleted. */
  delete(queueUrl: string, receiptHandle: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (error?: Error): void => (error === undefined ? resolve() : reject(error));
      this.waiting.push({ receiptHandle, settle });
      if (this.waiting.length >= MAX_ENTRIES) this.flush(queueUrl);
      else this.timer ??= setImmediate(() => this.flush(queueUrl));
    });
  }

  private flush(queueUrl: string): void {
    clearImmediate(this.timer);
    this.timer = undefined;
    const entries = this.waiting;
    this.waiting = [];
    if (entries.length === 0) return;
    this.sqs
      .send(
        new DeleteMessageBatchCommand({
          QueueUrl: queueUrl,
          Entries: entries.map(({ receiptHandle }, index) => ({ Id: String(index), ReceiptHandle: receiptHandle })),
        }),
      )
      .then(
        () => entries.forEach(({ settle }) => settle()),
        (error: Error) => entries.forEach(({ settle }) => settle(error)),
      );
  }
}
