import { type FunctionName, metricNamespace } from '@sluice/contracts';
import { Duration } from 'aws-cdk-lib';
import { SETTLE_TIMEOUT } from '../outcomes/index.ts';
import { DISPATCH_TIMEOUT, TIMERS_TIMEOUT } from '../pool/constants.ts';

/** Variables that every function of the platform has, beside those of its schema in `ENV_SCHEMAS`. */
export function runtimeEnv(platform: string) {
  return {
    NODE_OPTIONS: '--enable-source-maps',
    POWERTOOLS_SERVICE_NAME: 'sluice',
    POWERTOOLS_METRICS_NAMESPACE: metricNamespace(platform),
  };
}

/** Of the platform's own tasks: longer work goes on in a task of its own. */
export const SYSTEM_TIMEOUT = Duration.seconds(60);

interface FunctionShape {
  /** MB; Lambda gives processor time in proportion, one whole core at 1,769. */
  readonly memorySize: number;
  readonly timeout: Duration;
  readonly description: string;
}

export const FUNCTIONS: Record<FunctionName, FunctionShape> = {
  submit: {
    // A batch is 4 MB of JSON to parse, hash and send; half a core keeps that well under a second.
    memorySize: 1024,
    // Under the 30 s of an HTTP API, and so that the caller reads our answer rather than the gateway's 503.
    timeout: Duration.seconds(25),
    description: 'Accepts tasks: makes the hint durable, then writes the row',
  },
  api: {
    // It mostly sleeps between two reads of a long poll.
    memorySize: 512,
    // A long poll lasts 25 s; the gateway ends a call at 30 s.
    timeout: Duration.seconds(29),
    description: 'Answers for tasks and tokens: list, get, wait, cancel, retry, health',
  },
  authorizer: {
    // One read, but in the way of every call whose token is not cached: memory buys a shorter cold start.
    memorySize: 512,
    // The gateway waits 10 s for an authorizer.
    timeout: Duration.seconds(10),
    description: 'Turns an API token into a tenant and its scopes',
  },
  dispatch: {
    // The `wait` starter holds many handler replies at once, each up to 1 MiB.
    memorySize: 1024,
    timeout: DISPATCH_TIMEOUT,
    description: 'Looks at the tasks that hints name and starts their attempts',
  },
  settle: {
    // Ten records of up to 1 MiB with their results.
    memorySize: 512,
    timeout: SETTLE_TIMEOUT,
    description: 'Takes the outcomes of attempts and decides what follows',
  },
  timers: {
    // It moves a minute of buckets at a time, up to 500 tasks an item, many calls side by side.
    memorySize: 1024,
    // Ticks may overlap, cursors keep them apart: a busy minute has five to finish in.
    timeout: TIMERS_TIMEOUT,
    description: 'Every minute: moves buckets to queues and wakes lanes with a backlog',
  },
  audit: {
    // Parallel segments of a scan, each page up to 1 MB.
    memorySize: 1024,
    // Lambda's most, for a paced scan of the whole table.
    timeout: Duration.minutes(15),
    description: 'Daily: hints every task that is not terminal and that nobody has looked at',
  },
  registrar: {
    memorySize: 256,
    // A read, two writes, and the answer to CloudFormation.
    timeout: Duration.seconds(60),
    description: 'Writes task types to the table at deploy time',
  },
  system: {
    memorySize: 512,
    timeout: SYSTEM_TIMEOUT,
    description: "Runs the platform's own tasks: schedules, notifications, redrives",
  },
};
