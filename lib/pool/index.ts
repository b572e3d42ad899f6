import { AWS_LIMITS, PRIORITIES } from '@sluice/contracts';
import { Fn, NestedStack, Stack } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { EventSourceMapping, type Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { acknowledgeWildcard } from '../acknowledge.ts';
import * as constants from './constants.ts';
import { type DedicatedQueuesProps, grantDedicated, settingsOf } from './dedicated.ts';

export interface PoolProps {
  readonly name: string;
  readonly shards: number;
  readonly shardsPerTenant: number;
  /** Invocations of dispatch at once for each queue. */
  readonly maxConcurrency?: number | undefined;
  readonly dedicated?: DedicatedQueuesProps | undefined;
}

/**
 * The shard queues: one for each priority and shard. Two nested stacks, because a stack holds 500 resources: `Queues`
 * before the functions, which send to them, and `Consumers` after dispatch. So a greater number of shards takes effect
 * in the right order: queue, sender, consumer.
 */
export class Pool extends Construct {
  /** What redrive gave up on; the timers function hints it again. */
  readonly deadLetters: Queue;
  /** In the order of priority, then shard. */
  readonly queues: readonly Queue[];
  readonly #props: PoolProps;

  constructor(scope: Construct, id: string, props: PoolProps) {
    super(scope, id);
    this.#props = props;
    const stack = new NestedStack(this, 'Queues', { description: `Sluice ${props.name}: the shard queues` });
    this.deadLetters = new Queue(stack, 'DeadLetters', {
      queueName: constants.hintsDeadName(props.name),
      visibilityTimeout: constants.TIMERS_TIMEOUT,
      retentionPeriod: constants.MESSAGE_RETENTION,
      maxMessageSizeBytes: AWS_LIMITS.messageBytes,
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
    });
    this.queues = PRIORITIES.flatMap((priority) =>
      Array.from(
        { length: props.shards },
        (_, shard) =>
          new Queue(stack, `${priority}-${shard}`, {
            queueName: constants.shardQueueName(props.name, priority, shard),
            visibilityTimeout: constants.DISPATCH_TIMEOUT,
            retentionPeriod: constants.MESSAGE_RETENTION,
            maxMessageSizeBytes: AWS_LIMITS.messageBytes,
            deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: constants.HINT_RECEIVES },
            encryption: QueueEncryption.SQS_MANAGED,
            enforceSSL: true,
          }),
      ),
    );
  }

  /** Lets a function hint, and tells it where the queues are and how tenants are spread over them. */
  grantSend(fn: LambdaFunction): void {
    fn.addEnvironment('SLUICE_QUEUE_PREFIX', this.#urlPrefix());
    fn.addEnvironment('SLUICE_SHARDS', String(this.#props.shards));
    fn.addEnvironment('SLUICE_SHARDS_PER_TENANT', String(this.#props.shardsPerTenant));
    this.#grantShards(fn, ['sqs:SendMessage']);
  }

  /** Lets the timers function take what redrive gave up on. */
  grantDeadLetters(fn: LambdaFunction): void {
    fn.addEnvironment('SLUICE_HINT_DLQ_URL', this.deadLetters.queueUrl);
    fn.addToRolePolicy(
      new PolicyStatement({
        actions: ['sqs:ReceiveMessage', 'sqs:DeleteMessage'],
        resources: [this.deadLetters.queueArn],
      }),
    );
  }

  /**
   * Lets dispatch consume the queues. A grant of its own, before {@link feed}: Lambda makes an event source only if the
   * role may already receive.
   */
  grantConsume(fn: LambdaFunction): void {
    this.#grantShards(fn, ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes', 'sqs:ChangeMessageVisibility']);
  }

  /** Lets control look at the queues, and make and delete those of single tenants, which feed dispatch. */
  grantRoute(fn: LambdaFunction, dispatch: LambdaFunction): void {
    const { name, maxConcurrency, dedicated = {} } = this.#props;
    fn.addEnvironment('SLUICE_ROUTING', Stack.of(fn).toJsonString(settingsOf(dedicated)));
    this.#grantShards(fn, ['sqs:GetQueueAttributes', 'sqs:ReceiveMessage']);
    grantDedicated(fn, dispatch, { name, maxConcurrency, deadLetterArn: this.deadLetters.queueArn });
  }

  /** Makes every queue an event source of the function. */
  feed(fn: LambdaFunction): void {
    const { maxConcurrency } = this.#props;
    const stack = new NestedStack(this, 'Consumers', {
      description: `Sluice ${this.#props.name}: the event sources of the shard queues`,
    });
    for (const queue of this.queues) {
      new EventSourceMapping(stack, queue.node.id, {
        target: fn,
        eventSourceArn: queue.queueArn,
        batchSize: constants.BATCH_SIZE,
        reportBatchItemFailures: true,
        ...(maxConcurrency !== undefined && { maxConcurrency }),
      });
    }
  }

  #grantShards(fn: LambdaFunction, actions: string[]): void {
    // By name: an ARN for each of up to 192 queues would not fit the 10,240 characters of a role's policies.
    const arns = constants.shardQueuePatterns(this.#props.name).map((resource) => Stack.of(this).formatArn({ service: 'sqs', resource }));
    fn.addToRolePolicy(new PolicyStatement({ actions, resources: arns }));
    for (const arn of arns) {
      acknowledgeWildcard(fn.role ?? fn, arn, 'The shards of one priority: their number is a prop and they differ in nothing else.');
    }
  }

  /** The URL of the first queue without its priority and shard: right in every partition, endpoint and emulator. */
  #urlPrefix(): string {
    const [first] = this.queues;
    if (!first) throw new Error('the pool has no queues');
    const { name } = this.#props;
    return `${Fn.select(0, Fn.split(`/${constants.shardQueueName(name, PRIORITIES[0], 0)}`, first.queueUrl))}/${name}-`;
  }
}
