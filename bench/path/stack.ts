import { CfnOutput, Duration } from 'aws-cdk-lib';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { join } from 'node:path';
import { TaskType } from '../../lib/index.ts';
import { benchPlatform } from '../stack/platform.ts';

/** Handlers at once behind the bare queue: task by task, as a task type runs. */
const AT_ONCE = 10;
/** Permits of our lanes: room for a whole round, so that nothing waits in a backlog. */
const ROOM = 2_000;

/** Synthesises the platform with one function behind both starters, and the same function behind a queue of its own. */
export function synthesisePath(outdir: string, runsFile: string): void {
  const { app, stack, platform, functionOf } = benchPlatform(outdir, runsFile, 1);
  const handlerOf = (id: string) => functionOf(id, join(import.meta.dirname, 'handler.ts'));
  const shared = { platform, concurrency: ROOM };
  new TaskType(stack, 'Event', { ...shared, handler: handlerOf('EventHandler'), start: 'event' });
  new TaskType(stack, 'Wait', { ...shared, handler: handlerOf('WaitHandler'), start: 'wait' });
  const queue = new Queue(stack, 'Bare', { visibilityTimeout: Duration.seconds(60) });
  handlerOf('BareHandler').addEventSource(new SqsEventSource(queue, { batchSize: 1, maxConcurrency: AT_ONCE }));
  new CfnOutput(stack, 'BareQueueUrl', { value: queue.queueUrl });
  app.synth();
}
