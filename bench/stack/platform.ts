import { App, CfnOutput, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Architecture } from 'aws-cdk-lib/aws-lambda';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { arch } from 'node:process';
import { nodeFunction } from '../../lib/functions/node-function.ts';
import { TaskPlatform } from '../../lib/index.ts';

/**
 * A platform for one machine in an app of its own, and functions for it that note their runs in a file.
 * @param shards of each class
 */
export function benchPlatform(outdir: string, runsFile: string, shards: number) {
  const app = new App({ outdir, analyticsReporting: false });
  const stack = new Stack(app, 'Bench');
  const architecture = arch === 'arm64' ? Architecture.ARM_64 : Architecture.X86_64;
  const platform = new TaskPlatform(stack, 'Platform', {
    shards,
    maxConcurrency: 2,
    architecture,
    removalPolicy: RemovalPolicy.DESTROY,
    monitoring: false,
  });
  new CfnOutput(stack, 'TableName', { value: platform.storage.table.tableName });
  const functionOf = (id: string, entry: string) =>
    nodeFunction(stack, id, {
      entry,
      timeout: Duration.seconds(10),
      memorySize: 128,
      architecture,
      logRetention: RetentionDays.ONE_DAY,
      environment: { RUNS_FILE: runsFile },
    });
  return { app, stack, platform, functionOf };
}
