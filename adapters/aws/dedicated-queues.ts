import { AWS_LIMITS, PRIORITIES, type DedicatedQueuesEnv, type Priority } from '@sluice/contracts';
import {
  CreateEventSourceMappingCommand,
  DeleteEventSourceMappingCommand,
  ListEventSourceMappingsCommand,
  type LambdaClient,
} from '@aws-sdk/client-lambda';
import {
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  DeleteQueueCommand,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import type { DedicatedQueues, LeftMessage } from '../../core/ports/dedicated-queues.ts';
import { dedicatedShard } from '../../core/routing/route.ts';
import { answerOf, unavailable } from './answers.ts';
import { batchesOf } from './batches.ts';
import { nameOfQueue } from './queue-ref.ts';

/** The client of Lambda has no time limit of its own, for invocations. */
const LIMIT_MS = 10_000;

export interface DedicatedQueuesConfig extends DedicatedQueuesEnv {
  /** The URL of every queue up to its `<priority>-<shard>`. */
  readonly queueUrlPrefix: string;
}

interface EventSource {
  readonly UUID?: string | undefined;
  readonly State?: string | undefined;
}

/**
 * What a look receives is seen again so soon, seconds, and each look waits for longer than that: what an earlier one has received and
 * left, because it died or could not hint it anew, is not taken for gone.
 */
const LOOK = { VisibilityTimeout: 2, WaitTimeSeconds: 3 } as const;

/** Queues and event sources of single tenants, made like those of the pool. */
export function createDedicatedQueues(
  { sqs, lambda }: { readonly sqs: SQSClient; readonly lambda: LambdaClient },
  config: DedicatedQueuesConfig,
): DedicatedQueues {
  const refOf = (priority: Priority, generation: number): string => nameOfQueue({ priority, shard: dedicatedShard(generation) });
  const urlOf = (priority: Priority, generation: number): string => config.queueUrlPrefix + refOf(priority, generation);
  const arnOf = (priority: Priority, generation: number): string => config.queueArnPrefix + refOf(priority, generation);
  const tagsOf = (tenant: string) => ({ ...config.tags, 'sluice:tenant': tenant });
  const timed = () => ({ abortSignal: AbortSignal.timeout(LIMIT_MS) });

  const sourcesOf = async (priority: Priority, generation: number): Promise<readonly EventSource[]> => {
    const command = new ListEventSourceMappingsCommand({
      EventSourceArn: arnOf(priority, generation),
      FunctionName: config.functionArn,
    });
    return (await answerOf('list event sources', lambda.send(command, timed()))).EventSourceMappings ?? [];
  };

  const makeQueue = async (tenant: string, priority: Priority, generation: number): Promise<void> => {
    const arn = arnOf(priority, generation);
    const command = new CreateQueueCommand({
      QueueName: arn.split(':').at(-1),
      Attributes: {
        VisibilityTimeout: String(config.visibilitySeconds),
        MessageRetentionPeriod: String(config.retentionSeconds),
        RedrivePolicy: JSON.stringify({ deadLetterTargetArn: config.deadLetterArn, maxReceiveCount: config.maxReceives }),
        SqsManagedSseEnabled: 'true',
        MaximumMessageSize: String(AWS_LIMITS.messageBytes),
        Policy: JSON.stringify(overTlsAlone(arn)),
      },
      tags: tagsOf(tenant),
    });
    // By another version's attributes it is there as well.
    await unless(['QueueNameExists', 'QueueAlreadyExists'], 'make a queue', sqs.send(command));
  };

  /** @returns whether it works */
  const connect = async (tenant: string, priority: Priority, generation: number): Promise<boolean> => {
    const [source] = await sourcesOf(priority, generation);
    if (source) return source.State === 'Enabled';
    const command = new CreateEventSourceMappingCommand({
      EventSourceArn: arnOf(priority, generation),
      FunctionName: config.functionArn,
      BatchSize: config.batchSize,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      ...(config.maxConcurrency !== undefined && { ScalingConfig: { MaximumConcurrency: config.maxConcurrency } }),
      Tags: tagsOf(tenant),
    });
    const made = await unless(['ResourceConflictException'], 'make an event source', lambda.send(command, timed()));
    return made?.State === 'Enabled';
  };

  return {
    make: async (tenant, generation) => {
      await Promise.all(PRIORITIES.map((priority) => makeQueue(tenant, priority, generation)));
      const work = await Promise.all(PRIORITIES.map((priority) => connect(tenant, priority, generation)));
      return !work.includes(false);
    },

    disconnect: async (_tenant, generation) => {
      const left = (await Promise.all(PRIORITIES.map((priority) => sourcesOf(priority, generation)))).flat();
      await Promise.all(
        left.map(async ({ UUID, State }) => {
          if (State === 'Deleting') return;
          const deletion = lambda.send(new DeleteEventSourceMappingCommand({ UUID }), timed());
          // In use: it is just being made or changed, and is deleted in the next round.
          await unless(['ResourceNotFoundException', 'ResourceInUseException'], 'delete an event source', deletion);
        }),
      );
      return left.length === 0;
    },

    receive: async (_tenant, generation) => {
      const received = PRIORITIES.map(async (priority): Promise<LeftMessage[]> => {
        const command = new ReceiveMessageCommand({
          QueueUrl: urlOf(priority, generation),
          MaxNumberOfMessages: AWS_LIMITS.batchEntries,
          ...LOOK,
        });
        const answer = await unless(GONE, 'receive what is left', sqs.send(command));
        return (answer?.Messages ?? []).map(({ Body = '', ReceiptHandle = '' }) => ({ priority, body: Body, receipt: ReceiptHandle }));
      });
      return (await Promise.all(received)).flat();
    },

    discard: async (_tenant, generation, messages) => {
      const byQueue = PRIORITIES.flatMap((priority) =>
        batchesOf(
          messages.filter((message) => message.priority === priority),
          () => 0,
          AWS_LIMITS.batchEntries,
          Infinity,
        ),
      );
      await Promise.all(
        byQueue.map(async (batch) => {
          const Entries = batch.map(({ receipt }, n) => ({ Id: String(n), ReceiptHandle: receipt }));
          const command = new DeleteMessageBatchCommand({ QueueUrl: urlOf(batch[0]?.priority ?? 'normal', generation), Entries });
          const { Failed = [] } = await answerOf('remove what was left', sqs.send(command));
          if (Failed.length > 0) throw unavailable('remove what was left', new Error(`${Failed.length} not removed`));
        }),
      );
    },

    remove: async (_tenant, generation) => {
      await Promise.all(
        PRIORITIES.map((priority) =>
          unless(GONE, 'delete a queue', sqs.send(new DeleteQueueCommand({ QueueUrl: urlOf(priority, generation) }))),
        ),
      );
    },
  };
}

/** As SQS and its emulators name it. */
const GONE = ['QueueDoesNotExist', 'AWS.SimpleQueueService.NonExistentQueue'];

/** @returns nothing for a failure of one of these names; @throws for any other */
async function unless<T>(names: readonly string[], what: string, answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof Error && names.includes(error.name)) return undefined;
    throw unavailable(what, error);
  }
}

/** As CDK's `enforceSSL` writes it for the queues of the pool. */
function overTlsAlone(arn: string): object {
  return {
    Version: '2012-10-17',
    Statement: [
      { Action: 'sqs:*', Condition: { Bool: { 'aws:SecureTransport': 'false' } }, Effect: 'Deny', Principal: { AWS: '*' }, Resource: arn },
    ],
  };
}
