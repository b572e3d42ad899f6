import { EVENT_SOURCE } from '@sluice/contracts';
import { CfnOutput, Duration, RemovalPolicy } from 'aws-cdk-lib';
import { AttributeType, BillingMode, Table } from 'aws-cdk-lib/aws-dynamodb';
import { Rule } from 'aws-cdk-lib/aws-events';
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Code, Function as LambdaFunction, Runtime, type IFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { BlockPublicAccess, Bucket, BucketEncryption } from 'aws-cdk-lib/aws-s3';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { join } from 'node:path';
import { acknowledge, acknowledgeWildcard } from '../lib/acknowledge.ts';
import { Resource, TaskType, type TaskPlatform } from '../lib/index.ts';

/** Where the examples find their input in the bucket. */
const PHOTOS = 'photos/*';
const CSV = 'csv/*';

const DEFAULT_SMTP_URL = 'smtp://127.0.0.1:2525';
const DEFAULT_REPORTS_URL = 'http://127.0.0.1:2580/';

/** Short, so that one sees a retry happen. */
const QUICK_RETRY = { maxAttempts: 3, minDelaySeconds: 0.5, maxDelaySeconds: 2 };

/**
 * Adds the example task types to a platform. Between them they show both starters, a handler in Python, one with
 * native parts, one function that serves four types, and a lane that is soon full.
 *
 * CDK context: `smtpUrl` is the mail server of `send-email` (default smtp://127.0.0.1:2525), `mailFrom` its sender,
 * `reportsUrl` the service that `slow-report` calls (default http://127.0.0.1:2580/).
 */
export function addExamples(scope: Construct, platform: TaskPlatform): void {
  const home = new Construct(scope, 'Examples');
  const bucket = makeBucket(home);
  const cities = makeCitiesTable(home);
  addThumbnail(home, platform, bucket);
  addImportCsv(home, platform, bucket, cities);
  addSendEmail(home, platform);
  addSlowReport(home, platform);
  addCleanText(home, platform);
  addUnruly(home, platform);
  const failures = addFailures(home, platform);
  const ends = addEnds(home, platform);
  output(scope, 'ExamplesBucket', bucket.bucketName, 'Where the examples read photos/ and csv/');
  output(scope, 'CitiesTable', cities.tableName, 'Where import-csv writes');
  output(scope, 'FailuresQueueUrl', failures.queueUrl, 'Where the bus puts the events of failed tasks');
  output(scope, 'EndsQueueUrl', ends.queueUrl, 'Where tasks are told of that name the queue "ends" in their notify');
}

function addThumbnail(home: Construct, platform: TaskPlatform, bucket: Bucket): void {
  const { handler } = new TaskType(home, 'Thumbnail', {
    platform,
    handler: { entry: entryOf('thumbnail'), nodeModules: ['sharp'], memorySize: 1_024 },
    timeout: Duration.seconds(60),
    retry: { maxAttempts: 4, minDelaySeconds: 1, maxDelaySeconds: 30 },
    concurrency: 2,
    start: 'event',
  });
  grantObjects(handler, bucket, PHOTOS, 'GetObject', 'PutObject');
}

function addImportCsv(home: Construct, platform: TaskPlatform, bucket: Bucket, cities: Table): void {
  const { handler } = new TaskType(home, 'ImportCsv', {
    platform,
    handler: { entry: entryOf('import-csv'), environment: { CITIES_TABLE: cities.tableName } },
    timeout: Duration.minutes(5),
    retry: { maxAttempts: 3, minDelaySeconds: 5, maxDelaySeconds: 60 },
    concurrency: 1,
    start: 'event',
  });
  grantObjects(handler, bucket, CSV, 'GetObject');
  handler.addToRolePolicy(new PolicyStatement({ actions: ['dynamodb:BatchWriteItem'], resources: [cities.tableArn] }));
}

function addSendEmail(home: Construct, platform: TaskPlatform): void {
  const smtpUrl = contextText(home, 'smtpUrl') ?? DEFAULT_SMTP_URL;
  const mailFrom = contextText(home, 'mailFrom');
  new TaskType(home, 'SendEmail', {
    platform,
    handler: {
      entry: entryOf('send-email'),
      // A real password belongs in Secrets Manager; this is in plain sight of whoever may read the function.
      environment: { SMTP_URL: smtpUrl, ...(mailFrom !== undefined && { MAIL_FROM: mailFrom }) },
    },
    timeout: Duration.seconds(20),
    retry: { maxAttempts: 5, minDelaySeconds: 1, maxDelaySeconds: 60 },
    concurrency: 3,
    start: 'wait',
  });
}

function addSlowReport(home: Construct, platform: TaskPlatform): void {
  new TaskType(home, 'SlowReport', {
    platform,
    handler: { entry: entryOf('slow-report'), environment: { REPORTS_URL: contextText(home, 'reportsUrl') ?? DEFAULT_REPORTS_URL } },
    timeout: Duration.minutes(15),
    retry: { maxAttempts: 3, minDelaySeconds: 5, maxDelaySeconds: 60 },
    concurrency: 5,
    preemptible: true,
    start: 'event',
  });
}

/** A function as anyone would write it, in another language, with nothing of Sluice in it. */
function addCleanText(home: Construct, platform: TaskPlatform): void {
  const own = new Construct(home, 'Python');
  const logGroup = new LogGroup(own, 'Log', {
    retention: platform.logRetention,
    removalPolicy: RemovalPolicy.DESTROY,
  });
  const role = new Role(own, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
  logGroup.grantWrite(role);
  const handler = new LambdaFunction(own, 'Function', {
    runtime: Runtime.PYTHON_3_15,
    architecture: platform.architecture,
    code: Code.fromAsset(join(import.meta.dirname, 'clean-text'), { exclude: ['*', '!handler.py'] }),
    handler: 'handler.handler',
    timeout: Duration.seconds(10),
    role,
    logGroup,
    description: 'Sluice task type clean-text',
  });
  new TaskType(home, 'CleanText', { platform, handler, retry: QUICK_RETRY, concurrency: 3, start: 'wait' });
}

/**
 * One function, seven task types: each starter and the choice of them, a lane of two, one whose breaker concerns no other, and two that
 * draw on one resource.
 */
function addUnruly(home: Construct, platform: TaskPlatform): void {
  const shared = { platform, timeout: Duration.seconds(3), retry: QUICK_RETRY, concurrency: 3 };
  const { handler } = new TaskType(home, 'Unruly', {
    ...shared,
    handler: { entry: entryOf('unruly'), memorySize: 128 },
    start: 'event',
  });
  new TaskType(home, 'UnrulyWait', { ...shared, handler, start: 'wait' });
  new TaskType(home, 'UnrulyAuto', { ...shared, handler, start: 'auto' });
  new TaskType(home, 'Narrow', { ...shared, handler, concurrency: 2, start: 'event' });
  new TaskType(home, 'Fragile', { ...shared, handler, start: 'event' });
  const vendor = new Resource(home, 'Vendor', { platform, concurrency: 4 });
  new TaskType(home, 'Order', { ...shared, handler, resources: [vendor], start: 'event' });
  new TaskType(home, 'Refund', { ...shared, handler, resources: [vendor], start: 'wait' });
}

/** What to do about failures is a team's own affair: here a rule of the bus puts their events into a queue. */
function addFailures(home: Construct, platform: TaskPlatform): Queue {
  const queue = new Queue(home, 'Failures', { encryption: QueueEncryption.SQS_MANAGED, enforceSSL: true });
  acknowledge(queue, 'AwsSolutions-SQS3', 'Nothing consumes it, so nothing can fail to: messages end by their retention.');
  new Rule(home, 'TaskFailed', {
    eventBus: platform.events.bus,
    eventPattern: { source: [EVENT_SOURCE], detailType: ['task.failed'] },
    targets: [new SqsQueue(queue)],
  });
  return queue;
}

/** A queue that any task's end may be told to: `"notify": {"queue": {"name": "ends"}}` in its submission. */
function addEnds(home: Construct, platform: TaskPlatform): Queue {
  const queue = new Queue(home, 'Ends', { encryption: QueueEncryption.SQS_MANAGED, enforceSSL: true });
  acknowledge(queue, 'AwsSolutions-SQS3', 'Nothing consumes it, so nothing can fail to: messages end by their retention.');
  platform.addNotificationQueue('ends', queue);
  return queue;
}

function makeBucket(home: Construct): Bucket {
  // Deleted with the stack, but only when it is empty: what is in it was put there by hand.
  const bucket = new Bucket(home, 'Bucket', {
    blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
    encryption: BucketEncryption.S3_MANAGED,
    enforceSSL: true,
    removalPolicy: RemovalPolicy.DESTROY,
  });
  acknowledge(bucket, 'AwsSolutions-S1', 'Sample photos and files that are public anyway: nobody needs to know who read them.');
  return bucket;
}

function makeCitiesTable(home: Construct): Table {
  const table = new Table(home, 'Cities', {
    partitionKey: { name: 'country', type: AttributeType.STRING },
    sortKey: { name: 'part', type: AttributeType.STRING },
    billingMode: BillingMode.PAY_PER_REQUEST,
    removalPolicy: RemovalPolicy.DESTROY,
  });
  acknowledge(table, 'AwsSolutions-DDB3', 'The table is a copy of a file: to restore it is to import the file again.');
  return table;
}

function grantObjects(handler: IFunction, bucket: Bucket, keys: string, ...actions: ('GetObject' | 'PutObject')[]): void {
  const objects = bucket.arnForObjects(keys);
  handler.addToRolePolicy(new PolicyStatement({ actions: actions.map((action) => `s3:${action}`), resources: [objects] }));
  // Without it S3 answers 403 for a key that does not exist, which a handler cannot tell from a missing grant.
  handler.addToRolePolicy(new PolicyStatement({ actions: ['s3:ListBucket'], resources: [bucket.bucketArn] }));
  acknowledgeWildcard(handler.role ?? handler, objects, 'Which file a task is about is known only when it is submitted.');
}

function entryOf(example: string): string {
  return join(import.meta.dirname, example, 'handler.ts');
}

function contextText(scope: Construct, key: string): string | undefined {
  const value: unknown = scope.node.tryGetContext(key);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function output(scope: Construct, name: string, value: string, description: string): void {
  // By this name, wherever the scope is: scripts look for it.
  new CfnOutput(scope, name, { value, description }).overrideLogicalId(name);
}
