import { EVENT_SOURCE } from '@sluice/contracts';
import { App, CfnOutput, CfnResource, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Rule } from 'aws-cdk-lib/aws-events';
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import { Architecture, CfnEventInvokeConfig } from 'aws-cdk-lib/aws-lambda';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import type { IConstruct } from 'constructs';
import { arch } from 'node:process';
import { join } from 'node:path';
import { TaskPlatform, TaskType } from '../../../lib/index.ts';
import { ENDS_QUEUE } from '../world/receivers.ts';
import { EVENT_AGE_SECONDS } from './shorter.ts';
import { LATER_TYPE, TYPES } from './types.ts';

/** The platform's name. */
export const PLATFORM = 'faults';

/** Time-outs in seconds, shorter than the product's, so that what a killed function held comes back while one waits. */
const SECONDS = { dispatch: 30, settle: 15, outcomes: 30, timers: 30, control: 30 };

/**
 * Synthesises a platform for the fault tests into a folder.
 * @param certificate of the receivers of webhooks, in PEM
 * @param later with {@link LATER_TYPE}
 */
export function synthesisePlatform(outdir: string, certificate: string, later = false): void {
  const app = new App({ outdir, analyticsReporting: false, builtinCloudFormationValidation: false });
  const stack = new Stack(app, 'Faults');
  const ends = new Queue(stack, 'Ends');
  const platform = new TaskPlatform(stack, 'Platform', {
    name: PLATFORM,
    shards: 3,
    maxConcurrency: 2,
    monitoring: false,
    // A queue is soon busy, and a tenant keeps what it has got.
    dedicatedQueues: { max: 100, busyDepth: 10, promoteAfter: Duration.seconds(0), demoteAfter: Duration.days(1) },
    architecture: arch === 'arm64' ? Architecture.ARM_64 : Architecture.X86_64,
    removalPolicy: RemovalPolicy.DESTROY,
    notificationQueues: { [ENDS_QUEUE]: ends },
    webhooks: { privateHosts: ['127.0.0.1'], certificateAuthority: certificate },
  });
  shorten(platform);
  const shared = {
    platform,
    // Far more than a handler takes: one that is ended for the machine's sake would be counted as a failure.
    timeout: Duration.seconds(8),
    retry: { maxAttempts: 3, minDelaySeconds: 0.2, maxDelaySeconds: 0.5 },
    concurrency: 5,
    // So long that what a failed task has outside its row is kept for longer when it ends.
    dedupWindow: Duration.days(365),
  };
  const { handler } = new TaskType(stack, 'Event', {
    ...shared,
    type: TYPES.event,
    handler: { entry: join(import.meta.dirname, 'handler.ts'), memorySize: 128 },
  });
  new TaskType(stack, 'Wait', { ...shared, type: TYPES.wait, handler, start: 'wait' });
  new TaskType(stack, 'Narrow', { ...shared, type: TYPES.narrow, handler, concurrency: 1 });
  new TaskType(stack, 'NarrowWait', { ...shared, type: TYPES.narrowWait, handler, concurrency: 1, start: 'wait' });
  if (later) new TaskType(stack, 'Later', { ...shared, type: LATER_TYPE, handler });
  for (const construct of stack.node.findAll()) {
    if (construct instanceof CfnEventInvokeConfig) set(construct, 'MaximumEventAgeInSeconds', EVENT_AGE_SECONDS);
  }
  const events = new Queue(stack, 'AllEvents');
  new Rule(stack, 'Every', {
    eventBus: platform.events.bus,
    eventPattern: { source: [EVENT_SOURCE] },
    targets: [new SqsQueue(events)],
  });
  const output = (name: string, value: string) => new CfnOutput(stack, name, { value });
  output('TableName', platform.storage.table.tableName);
  output('BucketName', platform.storage.bucket.bucketName);
  output('OutcomesQueueUrl', platform.outcomes.queue.queueUrl);
  output('OutcomesDeadUrl', platform.outcomes.deadLetters.queueUrl);
  output('ControlQueueUrl', platform.control.queue.queueUrl);
  output('HintsDeadUrl', platform.pool.deadLetters.queueUrl);
  output('EventsUrl', events.queueUrl);
  output('EndsUrl', ends.queueUrl);
  for (const [n, queue] of platform.pool.queues.entries()) output(`ShardQueue${n}`, queue.queueUrl);
  app.synth();
}

/** What a deployment may choose for itself: nothing in the protocol depends on it but how long a crash is waited for. */
function shorten({ functions, pool, outcomes, control, schedule }: TaskPlatform): void {
  set(functions.dispatch, 'Timeout', SECONDS.dispatch);
  set(functions.settle, 'Timeout', SECONDS.settle);
  set(functions.timers, 'Timeout', SECONDS.timers);
  for (const queue of pool.queues) set(queue, 'VisibilityTimeout', SECONDS.dispatch);
  set(pool.deadLetters, 'VisibilityTimeout', SECONDS.timers);
  set(outcomes.queue, 'VisibilityTimeout', SECONDS.outcomes);
  set(control.queue, 'VisibilityTimeout', SECONDS.control);
  // The tests tick themselves, so that a tick which fails is followed by another at once.
  for (const id of ['Minute', 'Control']) set(schedule.node.findChild(id), 'State', 'DISABLED');
}

function set(construct: IConstruct, property: string, value: string | number): void {
  const resource = CfnResource.isCfnResource(construct) ? construct : construct.node.defaultChild;
  if (!(resource instanceof CfnResource)) throw new Error(`${construct.node.path} is no resource`);
  resource.addPropertyOverride(property, value);
}
