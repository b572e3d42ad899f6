import { PRIORITIES, type DedicatedQueuesEnv, type RoutingSettingsEnv } from '@sluice/contracts';
import { ArnFormat, CustomResource, Duration, Stack, Token } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { acknowledge, acknowledgeWildcard } from '../acknowledge.ts';
import { BATCH_SIZE, DISPATCH_TIMEOUT, HINT_RECEIVES, MESSAGE_RETENTION } from './constants.ts';

/** Queues that the platform makes at run time for tenants which keep the shared ones busy. */
export interface DedicatedQueuesProps {
  /**
   * Tenants that may have queues of their own at once, 0 to 100; each has three, one of each priority. 0 makes none, and
   * routes those that have some back.
   * @default 10
   */
  readonly max?: number;
  /**
   * Messages waiting in a shared queue from which on it is busy, 10 to 1,000,000.
   * @default 500, about a second of work for the five invocations that an event source begins with
   */
  readonly busyDepth?: number;
  /**
   * How long a tenant must keep a queue busy before it gets its own, 0 to an hour. It takes three readings in any case.
   * @default Duration.minutes(2)
   */
  readonly promoteAfter?: Duration;
  /**
   * How long its queues must be idle before it goes back to the shared ones, up to a day.
   * @default Duration.minutes(15)
   */
  readonly demoteAfter?: Duration;
}

/** The tag by which what was made at run time is found, with the platform's name. */
const PLATFORM_TAG = 'sluice:platform';

interface DedicatedPlatform {
  readonly name: string;
  readonly deadLetterArn: string;
  readonly maxConcurrency: number | undefined;
}

/** Patterns of the names of all dedicated queues, which are those of shard queues with a `d` before the number. */
export function dedicatedQueuePatterns(name: string): string[] {
  return PRIORITIES.map((priority) => `${name}-${priority}-d*`);
}

export function settingsOf(props: DedicatedQueuesProps): RoutingSettingsEnv {
  const settings = {
    maxDedicated: props.max ?? 10,
    busyDepth: props.busyDepth ?? 500,
    promoteAfterMs: (props.promoteAfter ?? Duration.minutes(2)).toMilliseconds(),
    demoteAfterMs: (props.demoteAfter ?? Duration.minutes(15)).toMilliseconds(),
  };
  check('max', settings.maxDedicated, 0, 100);
  check('busyDepth', settings.busyDepth, 10, 1_000_000);
  check('promoteAfter', settings.promoteAfterMs, 0, 3_600_000, ' ms');
  check('demoteAfter', settings.demoteAfterMs, 0, 86_400_000, ' ms');
  return settings;
}

function check(prop: string, value: number, min: number, max: number, unit = ''): void {
  if (!Number.isInteger(value) || value < min || value > max) {
    const given = Token.isUnresolved(value) ? 'a value that is known only at deploy time' : `${value}${unit}`;
    throw new Error(`TaskPlatform dedicatedQueues.${prop}: a whole number from ${min} to ${max}${unit}; given ${given}`);
  }
}

/**
 * Lets a function make, tend and delete dedicated queues with their event sources, by name alone, and tells it how. Dispatch
 * may consume them, and others send to them, as shard queues, whose names' patterns theirs fit.
 */
export function grantDedicated(fn: LambdaFunction, dispatch: LambdaFunction, platform: DedicatedPlatform): void {
  const stack = Stack.of(fn);
  const env: DedicatedQueuesEnv = {
    queueArnPrefix: stack.formatArn({ service: 'sqs', resource: `${platform.name}-` }),
    functionArn: dispatch.functionArn,
    deadLetterArn: platform.deadLetterArn,
    maxReceives: HINT_RECEIVES,
    visibilitySeconds: DISPATCH_TIMEOUT.toSeconds(),
    retentionSeconds: MESSAGE_RETENTION.toSeconds(),
    batchSize: BATCH_SIZE,
    ...(platform.maxConcurrency !== undefined && { maxConcurrency: platform.maxConcurrency }),
    tags: { [PLATFORM_TAG]: platform.name },
  };
  fn.addEnvironment('SLUICE_DEDICATED', stack.toJsonString(env));
  const queues = dedicatedQueuePatterns(platform.name).map((resource) => stack.formatArn({ service: 'sqs', resource }));
  const sources = stack.formatArn({
    service: 'lambda',
    resource: 'event-source-mapping',
    resourceName: '*',
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
  const grant = (actions: string[], resources: string[], conditions?: Record<string, unknown>): void =>
    fn.addToRolePolicy(new PolicyStatement({ actions, resources, ...(conditions && { conditions }) }));
  // Lambda always says which function it is about; an emulator that does not is not kept from it.
  const ofDispatch = { ArnEqualsIfExists: { 'lambda:FunctionArn': dispatch.functionArn } };
  grant(['sqs:CreateQueue', 'sqs:TagQueue', 'sqs:DeleteQueue', 'sqs:DeleteMessage'], queues);
  grant(['lambda:DeleteEventSourceMapping'], [sources], ofDispatch);
  grant(['lambda:TagResource'], [sources]);
  // None of these can be limited to a name.
  grant(['lambda:CreateEventSourceMapping'], ['*'], ofDispatch);
  grant(['lambda:ListEventSourceMappings', 'sqs:ListQueues'], ['*']);
  const role = fn.role ?? fn;
  for (const arn of queues) acknowledgeWildcard(role, arn, 'Queues of single tenants are made at run time: only their prefix is known.');
  acknowledgeWildcard(role, sources, 'Lambda chooses the id of an event source when it is made.');
  acknowledge(role, 'AwsSolutions-IAM5[Resource::*]', 'Event sources of dispatch alone, by a condition; the two lists take no resource.');
}

/**
 * Deletes with the stack what control has made at run time, which CloudFormation knows nothing of. What would make more of
 * it must depend on the returned construct, so that it is deleted before.
 */
export function cleanUpDedicated(scope: Construct, control: LambdaFunction): Construct {
  const cleanUp = new CustomResource(scope, 'DedicatedQueues', {
    resourceType: 'Custom::SluiceDedicatedQueues',
    serviceToken: control.functionArn,
    // CloudFormation would wait an hour for an answer that does not come.
    serviceTimeout: Duration.minutes(5),
  });
  if (control.role) cleanUp.node.addDependency(control.role);
  return cleanUp;
}
