import { GetQueueAttributesCommand, SendMessageBatchCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { Duration } from 'aws-cdk-lib';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { batchesOf, succeededOf } from '../../local/sqs/records.ts';
import { eventually, inlineFunction, received, start, synthesise, type RunningHost } from './support/harness.ts';

let host: RunningHost;

/** Forwards what it got to the results queue, with the number of calls that ran at once. */
const FORWARD = `
const { SQSClient, SendMessageCommand } = require('@aws-sdk/client-sqs');
const sqs = new SQSClient({});
exports.handler = async (event) => {
  await sqs.send(new SendMessageCommand({ QueueUrl: process.env.RESULTS, MessageBody: JSON.stringify(event) }));
};`;

beforeAll(async () => {
  const assembly = synthesise((stack) => {
    const queue = (id: string, visibilitySeconds: number, deadLetters?: Queue) =>
      new Queue(stack, id, {
        visibilityTimeout: Duration.seconds(visibilitySeconds),
        ...(deadLetters === undefined ? {} : { deadLetterQueue: { queue: deadLetters, maxReceiveCount: 2 } }),
      });
    const results = queue('Results', 30);
    const environment = { RESULTS: results.queueUrl };

    const plain = queue('Plain', 30);
    inlineFunction(stack, 'forward', FORWARD, { environment }).addEventSource(new SqsEventSource(plain, { batchSize: 10 }));

    const partial = queue('Partial', 1, queue('DeadLetters', 30));
    inlineFunction(
      stack,
      'partial',
      `exports.handler = async ({ Records }) => ({ batchItemFailures: Records.filter((r) => r.body === 'bad').map((r) => ({ itemIdentifier: r.messageId })) });`,
    ).addEventSource(new SqsEventSource(partial, { reportBatchItemFailures: true }));

    const failing = queue('Failing', 1, queue('FailingDeadLetters', 30));
    inlineFunction(stack, 'failing', `exports.handler = async () => { throw new Error('always'); }`).addEventSource(
      new SqsEventSource(failing),
    );

    const bounded = queue('Bounded', 30);
    inlineFunction(stack, 'bounded', `exports.handler = () => new Promise((resolve) => setTimeout(resolve, 50));`).addEventSource(
      new SqsEventSource(bounded, { batchSize: 1, maxConcurrency: 2 }),
    );

    const patient = queue('Patient', 600);
    inlineFunction(stack, 'patient', `exports.handler = () => new Promise((resolve) => setTimeout(resolve, 300));`, {
      reservedConcurrentExecutions: 1,
    }).addEventSource(new SqsEventSource(patient, { batchSize: 1 }));

    const throttled = queue('Throttled', 1);
    inlineFunction(stack, 'throttled', `exports.handler = () => new Promise((resolve) => setTimeout(resolve, 300));`, {
      reservedConcurrentExecutions: 1,
    }).addEventSource(new SqsEventSource(throttled, { batchSize: 1 }));

    const windowed = queue('Windowed', 30);
    inlineFunction(stack, 'windowed', FORWARD, { environment }).addEventSource(
      new SqsEventSource(windowed, { batchSize: 50, maxBatchingWindow: Duration.seconds(1) }),
    );

    const off = queue('Off', 30);
    inlineFunction(stack, 'off', FORWARD, { environment }).addEventSource(new SqsEventSource(off, { enabled: false }));
  });
  host = await start(assembly);
});

afterAll(() => host?.close());

const urlOf = (id: string): string => host.physicalId(id)!;

async function send(id: string, ...bodies: string[]): Promise<void> {
  for (let from = 0; from < bodies.length; from += 10) {
    await host.sqs.send(
      new SendMessageBatchCommand({
        QueueUrl: urlOf(id),
        Entries: bodies.slice(from, from + 10).map((body, index) => ({ Id: String(index), MessageBody: body })),
      }),
    );
  }
}

async function counts(id: string): Promise<{ visible: number; inFlight: number }> {
  const { Attributes: attributes = {} } = await host.sqs.send(
    new GetQueueAttributesCommand({
      QueueUrl: urlOf(id),
      AttributeNames: ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'],
    }),
  );
  return {
    visible: Number(attributes['ApproximateNumberOfMessages']),
    inFlight: Number(attributes['ApproximateNumberOfMessagesNotVisible']),
  };
}

const isEmpty = async (id: string): Promise<boolean> => {
  const { visible, inFlight } = await counts(id);
  return visible + inFlight === 0;
};

describe('an SQS event source', () => {
  it('hands over records as Lambda does and deletes them', async () => {
    await host.sqs.send(
      new SendMessageCommand({
        QueueUrl: urlOf('Plain'),
        MessageBody: 'hello',
        MessageAttributes: {
          kind: { DataType: 'String', StringValue: 'greeting' },
          raw: { DataType: 'Binary', BinaryValue: Buffer.from('bytes') },
        },
      }),
    );
    const event = await received(host, urlOf('Results'));
    expect(event['Records']).toEqual([
      {
        messageId: expect.any(String),
        receiptHandle: expect.any(String),
        body: 'hello',
        attributes: expect.objectContaining({
          ApproximateReceiveCount: '1',
          SentTimestamp: expect.stringMatching(/^\d+$/),
          ApproximateFirstReceiveTimestamp: expect.any(String),
        }),
        messageAttributes: {
          kind: { stringValue: 'greeting', stringListValues: [], binaryListValues: [], dataType: 'String' },
          raw: {
            binaryValue: Buffer.from('bytes').toString('base64'),
            stringListValues: [],
            binaryListValues: [],
            dataType: 'Binary',
          },
        },
        md5OfBody: expect.any(String),
        eventSource: 'aws:sqs',
        eventSourceARN: expect.stringMatching(/^arn:aws:sqs:us-east-1:000000000000:/),
        awsRegion: 'us-east-1',
      },
    ]);
    await eventually(() => isEmpty('Plain'));
  });

  it('deletes what succeeded and lets the rest come back, then to the dead letters', async () => {
    await send('Partial', 'good', 'bad', 'good');
    await eventually(async () => (await counts('DeadLetters')).visible === 1);
    await eventually(() => isEmpty('Partial'));
  });

  it('leaves a failed batch to its visibility time-out and the redrive policy', async () => {
    await send('Failing', 'a');
    await eventually(async () => (await counts('FailingDeadLetters')).visible === 1);
  });

  it('runs no more batches at once than its maximum concurrency', async () => {
    await send('Bounded', ...Array.from({ length: 20 }, (_, index) => String(index)));
    let most = 0;
    await eventually(async () => {
      const { visible, inFlight } = await counts('Bounded');
      // One batch more may be received and waiting for room.
      most = Math.max(most, inFlight);
      return visible + inFlight === 0;
    });
    expect(most).toBeLessThanOrEqual(3);
    expect(most).toBeGreaterThan(0);
  });

  it('gives throttled batches back, and they succeed later', async () => {
    await send('Throttled', '1', '2', '3', '4');
    await eventually(() => isEmpty('Throttled'));
    expect(host.logs.filter((entry) => entry.functionName === 'throttled' && entry.level === 'error')).toEqual([]);
  });

  it('tries a throttled batch again, long before it would be visible', async () => {
    await send('Patient', '1', '2', '3', '4');
    await eventually(() => isEmpty('Patient'));
  });

  it('gathers a batch within its window', async () => {
    await send('Windowed', ...Array.from({ length: 25 }, (_, index) => String(index)));
    const sizes: number[] = [];
    while (sizes.reduce((sum, size) => sum + size, 0) < 25) {
      const { Records: records } = (await received(host, urlOf('Results'))) as { Records: unknown[] };
      sizes.push(records.length);
    }
    expect(Math.max(...sizes)).toBeGreaterThan(10);
  });

  it('that is disabled takes nothing', async () => {
    await send('Off', 'resting');
    await send('Plain', 'after');
    await received(host, urlOf('Results'), (event) => event['Records'][0].body === 'after');
    expect(await counts('Off')).toEqual({ visible: 1, inFlight: 0 });
  });
});

describe('a batch', () => {
  const messages = ['a', 'b', 'c'].map((id) => ({ MessageId: id, Body: id }));

  it('is cut by count and by size', () => {
    expect(batchesOf(messages, 2).map((batch) => batch.length)).toEqual([2, 1]);
    const large = Array.from({ length: 10 }, (_, index) => ({ MessageId: String(index), Body: 'x'.repeat(1_000_000) }));
    expect(batchesOf(large, 10).map((batch) => batch.length)).toEqual([5, 5]);
  });

  it.each([
    ['null', ['a', 'b', 'c']],
    ['{}', ['a', 'b', 'c']],
    ['{"batchItemFailures":[]}', ['a', 'b', 'c']],
    ['{"batchItemFailures":[{"itemIdentifier":"b"}]}', ['a', 'c']],
    ['{"batchItemFailures":[{"itemIdentifier":""}]}', []],
    ['{"batchItemFailures":[{"itemIdentifier":"other"}]}', []],
    ['{"batchItemFailures":[null]}', []],
    ['{"batchItemFailures":"all"}', []],
    ['"no object"', ['a', 'b', 'c']],
  ])('answered with %s has succeeded for %o', (payload, expected) => {
    expect(succeededOf(messages, payload, true).map((message) => message.MessageId)).toEqual(expected);
  });
});
