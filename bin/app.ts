import { App, CfnOutput, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { Architecture } from 'aws-cdk-lib/aws-lambda';
import { AwsSolutionsChecks } from 'cdk-nag';
import { addExamples } from '../examples/stack.ts';
import { TaskPlatform } from '../lib/index.ts';

/*
 * Context (`cdk deploy -c key=value`):
 *   name          prefix of physical names, default `sluice`
 *   architecture  `arm64` (default) or `x86_64`
 *   shards        shard queues of each priority class, default 8
 *   maxConcurrency  batches of one queue that dispatch works on at once, default as many as Lambda allows
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

if (choice('nag', 'off', 'on') === 'on') Validations.of(app).addPlugins(new AwsSolutionsChecks(app, { verbose: true }));

const stack = new Stack(app, 'Sluice', { description: 'Sluice: a multi-tenant asynchronous task platform' });
const name: unknown = app.node.tryGetContext('name');
const platform = new TaskPlatform(stack, 'Platform', {
  ...(typeof name === 'string' && { name }),
  ...count('shards'),
  ...count('maxConcurrency'),
  architecture: choice('architecture', 'arm64', 'x86_64') === 'arm64' ? Architecture.ARM_64 : Architecture.X86_64,
  removalPolicy: choice('removal', 'retain', 'destroy') === 'retain' ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
});
if (choice('examples', 'on', 'off') === 'on') addExamples(stack, platform);

new CfnOutput(stack, 'ApiUrl', { value: platform.api.url, description: 'Where the API is' });
new CfnOutput(stack, 'TableName', { value: platform.storage.table.tableName });
new CfnOutput(stack, 'BucketName', { value: platform.storage.bucket.bucketName });
new CfnOutput(stack, 'BusName', { value: platform.events.bus.eventBusName });
new CfnOutput(stack, 'OutcomesQueueUrl', { value: platform.outcomes.queue.queueUrl });
