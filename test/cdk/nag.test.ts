import { join } from 'node:path';
import { Stack } from 'aws-cdk-lib';
import { Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { AwsSolutionsChecks } from 'cdk-nag';
import type { IConstruct } from 'constructs';
import { describe, expect, it } from 'vitest';
import { TaskType, type TaskPlatformProps } from '../../lib/index.ts';
import { makeApp, makePlatform } from './synth.ts';

/** Findings of the AWS Solutions rules that nobody has given a reason for. */
function findingsOf(scope: IConstruct): string[] {
  return new AwsSolutionsChecks()
    .validateScope(scope)
    .violations.flatMap(({ ruleName, violatingResources }) =>
      violatingResources.map(({ constructPath }) => `${ruleName} ${constructPath ?? ''}`),
    );
}

describe('the AWS Solutions rules', () => {
  it.each<[string, TaskPlatformProps]>([
    ['the default platform', {}],
    ['one with SigV4, an access log and no list index', { auth: 'iam', accessLog: true, listIndex: false, name: 'other' }],
  ])('find nothing unexplained in %s', (_, props) => {
    const { app, stack, platform } = makePlatform(props);
    new TaskType(stack, 'Picture', { platform, handler: { entry: join(import.meta.dirname, 'fixtures', 'picture.ts') } });
    expect(findingsOf(app)).toEqual([]);
  });

  it('add nothing on behalf of a task type to what its function has', () => {
    const { stack, platform } = makePlatform({ shards: 1 });
    const handler = new LambdaFunction(stack, 'Fn', {
      code: Code.fromInline('def handler(event, context): return 1'),
      handler: 'index.handler',
      runtime: Runtime.PYTHON_3_14,
    });
    const before = findingsOf(handler);
    new TaskType(stack, 'Theirs', { platform, handler });
    expect(findingsOf(stack)).toEqual(before);
  });

  it('do look: a queue without TLS and dead letters is found', () => {
    const stack = new Stack(makeApp(), 'Bad');
    new Queue(stack, 'Queue');
    expect(findingsOf(stack)).toEqual(['AwsSolutions-SQS3 Bad/Queue/Resource', 'AwsSolutions-SQS4 Bad/Queue/Resource']);
  });
});
