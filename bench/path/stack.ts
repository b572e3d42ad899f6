import { App, CfnOutput, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Architecture } from 'aws-cdk-lib/aws-lambda';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { arch } from 'node:process';
import { join } from 'node:path';
import { nodeFunction } from '../../lib/functions/node-function.ts';
import { TaskPlatform, TaskType } from '../../lib/index.ts';

/** Handlers at once behind the bare queue: task by task, as a task type runs. */
const AT_ONCE = 10;
/** Permits of our lanes: room for a whole round, so that nothing waits in a backlog. */
const ROOM = 2_000;

/** Synthesises the platform with one function behind both starters, and the same function behind a queue of its own. */
export function synthesisePath(outdir: string, runsFile: string): void {
  const app = new App({ outdir, analyticsReporting: false });
  const stack = new Stack(app, 'Bench');
  const architecture = arch === 'arm64' ? Architecture.ARM_64 : Architecture.X86_64;
  const platform = new TaskPlatform(stack, 'Platform', {
    shards: 1,
    maxConcurrency: 2,
    architecture,
    removalPolicy: RemovalPolicy.DESTROY,
    monitoring: false,
  });
  const functionOf = (id: string) =>
    nodeFunction(stack, id, {
      entry: join(import.meta.dirname, 'handler.ts'),
      timeout: Duration.seconds(10),
      memorySize: 128,
      architecture,
      logRetention: RetentionDays.ONE_DAY,
      environment: { RUNS_FILE: runsFile },
    });
  const shared = { platform, concurrency: ROOM };
  new TaskType(stack, 'Event', { ...shared, handler: functionOf('EventHandler'), start: 'event' });
  new TaskType(stack, 'Wait', { ...shared, handler: functionOf('WaitHandler'), start: 'wait' });
  const queue = new Queue(stack, 'Bare', { visibilityTimeout: Duration.seconds(60) });
  functionOf('BareHandler').addEventSource(new SqsEventSource(queue, { batchSize: 1, maxConcurrency: AT_ONCE }));
  new CfnOutput(stack, 'TableName', { value: platform.storage.table.tableName });
  new CfnOutput(stack, 'BareQueueUrl', { value: queue.queueUrl });
  app.synth();
}
