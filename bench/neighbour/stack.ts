import type { StartMode } from '@sluice/contracts';
import { App, CfnOutput, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Architecture } from 'aws-cdk-lib/aws-lambda';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { arch } from 'node:process';
import { join } from 'node:path';
import { nodeFunction } from '../../lib/functions/node-function.ts';
import { TaskPlatform, TaskType } from '../../lib/index.ts';

/** Attempts of one tenant at once: with tasks of half a second a lane works off two a second at most. */
const CONCURRENCY = 1;

/** Synthesises the platform as `npm run dev` has it, with one task type. */
export function synthesiseNeighbours(outdir: string, runsFile: string, start: StartMode): void {
  const app = new App({ outdir, analyticsReporting: false });
  const stack = new Stack(app, 'Bench');
  const architecture = arch === 'arm64' ? Architecture.ARM_64 : Architecture.X86_64;
  const platform = new TaskPlatform(stack, 'Platform', {
    shards: 3,
    maxConcurrency: 2,
    architecture,
    removalPolicy: RemovalPolicy.DESTROY,
    monitoring: false,
  });
  const handler = nodeFunction(stack, 'Handler', {
    entry: join(import.meta.dirname, 'handler.ts'),
    timeout: Duration.seconds(10),
    memorySize: 128,
    architecture,
    logRetention: RetentionDays.ONE_DAY,
    environment: { RUNS_FILE: runsFile },
  });
  new TaskType(stack, 'Work', { platform, handler, start, concurrency: CONCURRENCY });
  new CfnOutput(stack, 'TableName', { value: platform.storage.table.tableName });
  app.synth();
}
