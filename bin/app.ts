import { App, CfnOutput, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { Architecture } from 'aws-cdk-lib/aws-lambda';
import { type ITopic, Topic } from 'aws-cdk-lib/aws-sns';
import { AwsSolutionsChecks } from 'cdk-nag';
import { readFileSync } from 'node:fs';
import { addExamples } from '../examples/stack.ts';
import { type MonitoringOptions, TaskPlatform, type WebhookProps } from '../lib/index.ts';

/*
 * Context (`cdk deploy -c key=value`):
 *   name          prefix of physical names, default `sluice`
 *   architecture  `arm64` (default) or `x86_64`
 *   shards        shard queues of each priority class, default 8
 *   maxConcurrency  batches of one queue that dispatch works on at once, default as many as Lambda allows
 *   cors          origins whose pages may call the API, separated by commas, or `*`; default is none
 *   webhookHosts  hosts that webhooks may call at any address and port, separated by commas; default is public addresses only
 *   webhookCa     a file with the certificate, in PEM, of an authority that webhooks trust beside the well-known ones
 *   monitoring    `off` makes no dashboard and no alarms, which are a stack of their own
 *   criticalTopic, warningTopic  ARNs of the SNS topics that alarms go to, by severity; default is none
 *   runbookUrl    where the runbook is, for the links in alarms, default `docs/runbook.md`
 *   examples      `off` leaves the example task types out
 *   removal       `destroy` deletes table and bucket with the stack; default is to keep them
 *   nag           `on` checks the AWS Solutions rules while it synthesises
 */
const app = new App();

/** One of the values that a context key may have; the first is its default. */
function choice<const T extends string>(key: string, ...values: [T, ...T[]]): T {
  const given: unknown = app.node.tryGetContext(key) ?? values[0];
  const value = values.find((each) => each === given);
  if (value === undefined) throw new Error(`context ${key}: one of ${values.join(', ')}; given ${String(given)}`);
  return value;
}

/** A number, where the context gives one; the construct checks it. */
function count(key: string): Record<string, number> {
  const given: unknown = app.node.tryGetContext(key);
  return given === undefined ? {} : { [key]: Number(given) };
}

/** Origins, where the context gives some; the construct checks them. */
function origins(): { cors?: { allowOrigins: string[] } } {
  const given: unknown = app.node.tryGetContext('cors');
  return typeof given === 'string' && given !== '' ? { cors: { allowOrigins: given.split(',').map((origin) => origin.trim()) } } : {};
}

/** Where webhooks may go, where the context says it; the construct checks it. */
function webhooks(): { webhooks?: WebhookProps } {
  const hosts: unknown = app.node.tryGetContext('webhookHosts');
  const file: unknown = app.node.tryGetContext('webhookCa');
  const given = {
    ...(typeof hosts === 'string' && hosts !== '' && { privateHosts: hosts.split(',').map((host) => host.trim()) }),
    ...(typeof file === 'string' && file !== '' && { certificateAuthority: readFileSync(file, 'utf8') }),
  };
  return Object.keys(given).length === 0 ? {} : { webhooks: given };
}

/** A topic that is there already, where the context gives its ARN. */
function topic(key: 'criticalTopic' | 'warningTopic'): Record<string, ITopic> {
  const arn: unknown = app.node.tryGetContext(key);
  return typeof arn === 'string' && arn !== '' ? { [key]: Topic.fromTopicArn(stack, key, arn) } : {};
}

function monitoring(): false | MonitoringOptions {
  const url: unknown = app.node.tryGetContext('runbookUrl');
  if (choice('monitoring', 'on', 'off') === 'off') return false;
  return { ...topic('criticalTopic'), ...topic('warningTopic'), ...(typeof url === 'string' && { runbookUrl: url }) };
}

if (choice('nag', 'off', 'on') === 'on') Validations.of(app).addPlugins(new AwsSolutionsChecks(app, { verbose: true }));

const stack = new Stack(app, 'Sluice', { description: 'Sluice: a multi-tenant asynchronous task platform' });
const name: unknown = app.node.tryGetContext('name');
const platform = new TaskPlatform(stack, 'Platform', {
  ...(typeof name === 'string' && { name }),
  ...count('shards'),
  ...count('maxConcurrency'),
  ...origins(),
  ...webhooks(),
  monitoring: monitoring(),
  architecture: choice('architecture', 'arm64', 'x86_64') === 'arm64' ? Architecture.ARM_64 : Architecture.X86_64,
  removalPolicy: choice('removal', 'retain', 'destroy') === 'retain' ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
});
if (choice('examples', 'on', 'off') === 'on') addExamples(stack, platform);

new CfnOutput(stack, 'ApiUrl', { value: platform.api.url, description: 'Where the API is' });
new CfnOutput(stack, 'TableName', { value: platform.storage.table.tableName });
new CfnOutput(stack, 'BucketName', { value: platform.storage.bucket.bucketName });
new CfnOutput(stack, 'BusName', { value: platform.events.bus.eventBusName });
new CfnOutput(stack, 'OutcomesQueueUrl', { value: platform.outcomes.queue.queueUrl });
