import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { EventSourceMapping, type Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { acknowledge } from '../acknowledge.ts';
import { CONTROL_BATCH, CONTROL_RETENTION, CONTROL_ROUNDS, CONTROL_TIMEOUT, controlName } from './constants.ts';
import { grantConsume } from '../consume.ts';

export interface ControlProps {
  readonly name: string;
}

/** The queue that control is told by what it should look at now rather than in the next minute. */
export class Control extends Construct {
  readonly queue: Queue;

  constructor(scope: Construct, id: string, props: ControlProps) {
    super(scope, id);
    this.queue = new Queue(this, 'Queue', {
      queueName: controlName(props.name),
      visibilityTimeout: CONTROL_TIMEOUT,
      retentionPeriod: CONTROL_RETENTION,
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
    });
    acknowledge(
      this.queue,
      'AwsSolutions-SQS3',
      'What is told here, control finds by itself within a minute: a lost message needs no dead letters.',
    );
  }

  /** Lets a function tell control. */
  grantTell(fn: LambdaFunction): void {
    fn.addEnvironment('SLUICE_CONTROL_QUEUE_URL', this.queue.queueUrl);
    fn.addToRolePolicy(new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [this.queue.queueArn] }));
  }

  /** Lets control consume the queue. Before {@link feed}, as Lambda checks the role when it makes an event source. */
  grantConsume(fn: LambdaFunction): void {
    grantConsume(fn, this.queue);
  }

  /** Makes the queue the event source of the function. */
  feed(fn: LambdaFunction): void {
    new EventSourceMapping(this, 'Consumer', {
      target: fn,
      eventSourceArn: this.queue.queueArn,
      batchSize: CONTROL_BATCH.size,
      maxBatchingWindow: CONTROL_BATCH.window,
      maxConcurrency: CONTROL_ROUNDS,
      reportBatchItemFailures: true,
    });
  }
}
