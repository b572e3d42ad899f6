import { AWS_LIMITS } from '@sluice/contracts';
import { Duration } from 'aws-cdk-lib';
import { type IGrantable, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { EventSourceMapping, type Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { BATCH_SIZE, MESSAGE_RETENTION } from '../pool/constants.ts';
import { outcomesDeadName, outcomesName } from './constants.ts';
import { grantConsume } from '../consume.ts';

/** How long settle may run: ten records, each a few calls. */
export const SETTLE_TIMEOUT = Duration.seconds(60);

/** Receives until a record counts as unreadable; its task then ends its lease as lost. Throttled receives count too. */
const OUTCOME_RECEIVES = 100;

export interface OutcomesProps {
  readonly name: string;
}

/** Where Lambda sends the end of every attempt that was started as an event. */
export class Outcomes extends Construct {
  readonly queue: Queue;
  readonly deadLetters: Queue;

  constructor(scope: Construct, id: string, props: OutcomesProps) {
    super(scope, id);
    const common = {
      retentionPeriod: MESSAGE_RETENTION,
      maxMessageSizeBytes: AWS_LIMITS.messageBytes,
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
    };
    this.deadLetters = new Queue(this, 'DeadLetters', { ...common, queueName: outcomesDeadName(props.name) });
    this.queue = new Queue(this, 'Queue', {
      ...common,
      queueName: outcomesName(props.name),
      // Twice what settle may run: leases wait for these records, so a crash must not delay them for long.
      visibilityTimeout: Duration.seconds(2 * SETTLE_TIMEOUT.toSeconds()),
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: OUTCOME_RECEIVES },
    });
  }

  /** Lets a handler's role send to the queue, which Lambda's destinations need of it. */
  grantSend(grantee: IGrantable): boolean {
    return grantee.grantPrincipal.addToPrincipalPolicy(
      new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [this.queue.queueArn] }),
    ).statementAdded;
  }

  /** Lets settle consume the queue. Before {@link feed}, as Lambda checks the role when it makes an event source. */
  grantConsume(fn: LambdaFunction): void {
    grantConsume(fn, this.queue);
  }

  /** Makes the queue the event source of the function. */
  feed(fn: LambdaFunction): void {
    new EventSourceMapping(this, 'Consumer', {
      target: fn,
      eventSourceArn: this.queue.queueArn,
      batchSize: BATCH_SIZE,
      reportBatchItemFailures: true,
    });
  }
}
