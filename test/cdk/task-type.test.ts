import { join } from 'node:path';
import { isSystemName, taskTypeSpecSchema, type TaskTypeSpec } from '@sluice/contracts';
import { Duration, Stack } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { Role } from 'aws-cdk-lib/aws-iam';
import { Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { describe, expect, it } from 'vitest';
import { TaskType } from '../../lib/index.ts';
import { allowedTo, makePlatform, resourcesOf } from './synth.ts';

const OUTCOMES = { 'Fn::GetAtt': [Match.stringLikeRegexp('OutcomesQueue'), 'Arn'] };

function pythonFunction(stack: Stack, id = 'Fn'): LambdaFunction {
  return new LambdaFunction(stack, id, {
    code: Code.fromInline('def handler(event, context): return 1'),
    handler: 'index.handler',
    runtime: Runtime.PYTHON_3_13,
    timeout: Duration.seconds(30),
  });
}

/** The specs in a template that are not the platform's own, their references replaced by their logical ids. */
function specsOf(template: Template): TaskTypeSpec[] {
  return Object.values(template.findResources('Custom::SluiceTaskType'))
    .map(({ Properties }) => {
      const spec = (Properties as { Spec: { 'Fn::Join': [string, (string | { Ref: string })[]] } }).Spec;
      const text = spec['Fn::Join'][1].map((part) => (typeof part === 'string' ? part : part.Ref)).join('');
      return taskTypeSpecSchema.parse(JSON.parse(text));
    })
    .filter(({ type }) => !isSystemName(type));
}

/** The one such spec. */
function specOf(template: Template): TaskTypeSpec | undefined {
  const specs = specsOf(template);
  expect(specs).toHaveLength(1);
  return specs[0];
}

describe('a task type', () => {
  it('says which attempts may make room, and how long a class may wait', () => {
    const { stack, platform } = makePlatform({ shards: 1 });
    const handler = pythonFunction(stack);
    new TaskType(stack, 'Bulk', { platform, handler, preemptible: true, starvationBounds: { low: Duration.hours(2) } });
    expect(specOf(Template.fromStack(stack))).toMatchObject({ preemptible: true, starvation: { normalSeconds: 300, lowSeconds: 7_200 } });
  });

  it('puts an alias on the current version, with no retries of Lambda and both destinations', () => {
    const { stack, platform } = makePlatform({ shards: 1 });
    new TaskType(stack, 'CleanText', { platform, handler: pythonFunction(stack) });
    const template = Template.fromStack(stack);

    template.hasResourceProperties('AWS::Lambda::Alias', {
      Name: 'sluice',
      FunctionVersion: { 'Fn::GetAtt': [Match.stringLikeRegexp('FnCurrentVersion'), 'Version'] },
    });
    template.hasResource('AWS::Lambda::EventInvokeConfig', {
      Properties: {
        Qualifier: 'sluice',
        MaximumRetryAttempts: 0,
        MaximumEventAgeInSeconds: 60,
        DestinationConfig: { OnSuccess: { Destination: OUTCOMES }, OnFailure: { Destination: OUTCOMES } },
      },
      DependsOn: Match.arrayWith([Match.stringLikeRegexp('FnServiceRoleDefaultPolicy')]),
    });
  });

  it("registers itself under its id's name with the function's timeout, once an attempt could be made", () => {
    const { stack, platform } = makePlatform({ shards: 1 });
    new TaskType(stack, 'CleanText', { platform, handler: pythonFunction(stack) });
    const template = Template.fromStack(stack);

    expect(specOf(template)).toEqual({
      v: 1,
      type: 'clean-text',
      handler: { kind: 'lambda', arn: expect.stringContaining('Alias') },
      start: 'event',
      timeoutSeconds: 30,
      concurrency: 10,
      retry: { maxAttempts: 5, minDelaySeconds: 1, maxDelaySeconds: 900, factor: 2 },
      dedupWindowSeconds: 14 * 86_400,
    });
    template.hasResource('Custom::SluiceTaskType', {
      Properties: { ServiceToken: { 'Fn::GetAtt': [Match.stringLikeRegexp('registrar'), 'Arn'] } },
      DependsOn: Match.arrayWith([Match.stringLikeRegexp('FnSluiceOutcomes'), Match.stringLikeRegexp('dispatchRoleDefaultPolicy')]),
    });
  });

  it('takes what it is told', () => {
    const { stack, platform } = makePlatform({ shards: 1 });
    new TaskType(stack, 'CleanText', {
      platform,
      handler: pythonFunction(stack),
      type: 'tidy.v2',
      timeout: Duration.minutes(1),
      concurrency: 3,
      start: 'wait',
      retry: { maxAttempts: 2 },
      dedupWindow: Duration.days(1),
    });
    expect(specOf(Template.fromStack(stack))).toMatchObject({
      type: 'tidy.v2',
      timeoutSeconds: 60,
      concurrency: 3,
      start: 'wait',
      retry: { maxAttempts: 2, maxDelaySeconds: 900 },
      dedupWindowSeconds: 86_400,
    });
  });

  it('that chooses how it is started has what either way needs', () => {
    const { stack, platform } = makePlatform({ shards: 1 });
    const handler = pythonFunction(stack);
    new TaskType(stack, 'CleanText', { platform, handler, start: 'auto' });
    const template = Template.fromStack(stack);
    expect(specOf(template)).toMatchObject({ start: 'auto', timeoutSeconds: 30 });
    // To wait for it, dispatch invokes the alias; by event its outcome comes by the destinations of the alias.
    const invoked = allowedTo(stack, 'sluice-dispatch').filter(({ action }) => action === 'lambda:InvokeFunction');
    expect(JSON.stringify(invoked)).toContain('FnAliassluice');
    template.hasResourceProperties('AWS::Lambda::EventInvokeConfig', {
      FunctionName: { Ref: Match.stringLikeRegexp('^Fn') },
      Qualifier: 'sluice',
      DestinationConfig: { OnSuccess: { Destination: OUTCOMES }, OnFailure: { Destination: OUTCOMES } },
    });
    expect(Annotations.fromStack(stack).findWarning('*', Match.stringLikeRegexp('auto-timeout'))).toEqual([]);
  });

  it('that is too long to be waited for is told that `auto` is `event`', () => {
    const { stack, platform } = makePlatform({ shards: 1 });
    new TaskType(stack, 'CleanText', { platform, handler: pythonFunction(stack), start: 'auto', timeout: Duration.seconds(31) });
    Annotations.fromStack(stack).hasWarning('*', Match.stringLikeRegexp("start: 'auto' is 'event' for a timeout of 31 s.*at most 30 s"));
  });

  it.each([
    ['Thumbnail', 'thumbnail'],
    ['ImportCsv', 'import-csv'],
    ['SendHTMLEmail2', 'send-html-email2'],
    ['already-kebab', 'already-kebab'],
  ])('named %s is the type %s', (id, expected) => {
    const { stack, platform } = makePlatform({ shards: 1 });
    expect(new TaskType(stack, id, { platform, handler: pythonFunction(stack) }).type).toBe(expected);
  });

  it('lets dispatch invoke the alias and nothing else, and the handler send its outcome', () => {
    const { stack, platform } = makePlatform({ shards: 1 });
    new TaskType(stack, 'CleanText', { platform, handler: pythonFunction(stack) });

    const invocations = allowedTo(stack, 'sluice-dispatch').filter(({ action }) => action.startsWith('lambda:'));
    expect(invocations.map(({ action, statement }) => [action, statement.Resource])).toEqual([
      [
        'lambda:InvokeFunction',
        [{ Ref: expect.stringMatching(/^FnAliassluice/) }, { Ref: expect.stringMatching(/^PlatformFunctionssystemFunctionAliassluice/) }],
      ],
    ]);
    Template.fromStack(stack).hasResourceProperties('AWS::IAM::Policy', {
      PolicyName: Match.stringLikeRegexp('FnServiceRole'),
      PolicyDocument: Match.objectLike({
        Statement: [{ Action: 'sqs:SendMessage', Effect: 'Allow', Resource: OUTCOMES }],
      }),
    });
  });

  it('shares the alias of a function that serves two types', () => {
    const { stack, platform } = makePlatform({ shards: 1 });
    const handler = pythonFunction(stack);
    new TaskType(stack, 'Fast', { platform, handler, concurrency: 100 });
    new TaskType(stack, 'Slow', { platform, handler, concurrency: 1 });

    const template = Template.fromStack(stack);
    expect(Object.keys(template.findResources('AWS::Lambda::Alias')).filter((id) => id.startsWith('Fn'))).toHaveLength(1);
    expect(specsOf(template).map(({ type }) => type)).toEqual(['fast', 'slow']);
  });

  it('may live in another stack than its platform', () => {
    const { app, platform } = makePlatform({ shards: 1 });
    const other = new Stack(app, 'Handlers');
    new TaskType(other, 'CleanText', { platform, handler: pythonFunction(other) });

    Template.fromStack(other).hasResourceProperties('AWS::IAM::Policy', {
      PolicyDocument: Match.objectLike({
        Statement: [{ Action: 'lambda:InvokeFunction', Effect: 'Allow', Resource: Match.anyValue() }],
      }),
      Roles: [{ 'Fn::ImportValue': Match.stringLikeRegexp('dispatchRole') }],
    });
    expect(other.dependencies.map((stack) => stack.stackName)).toEqual(['Sluice']);
  });
});

describe('a task type of an imported function', () => {
  const functionArn = 'arn:aws:lambda:eu-west-1:123456789012:function:theirs';

  it('puts the alias on $LATEST and says what to grant when the role is not known', () => {
    const { stack, platform } = makePlatform({ shards: 1 });
    const handler = LambdaFunction.fromFunctionArn(stack, 'Theirs', functionArn);
    new TaskType(stack, 'Theirs2', { platform, handler, timeout: Duration.seconds(20) });

    Template.fromStack(stack).hasResourceProperties('AWS::Lambda::Alias', {
      Name: 'sluice',
      FunctionName: 'theirs',
      FunctionVersion: '$LATEST',
    });
    Annotations.fromStack(stack).hasWarning('/Sluice/Theirs', Match.stringLikeRegexp('sqs:SendMessage on the queue "sluice-outcomes"'));
  });

  it('grants the role if it is known', () => {
    const { stack, platform } = makePlatform({ shards: 1 }, { env: { account: '123456789012', region: 'eu-west-1' } });
    const role = Role.fromRoleArn(stack, 'TheirRole', 'arn:aws:iam::123456789012:role/theirs');
    const handler = LambdaFunction.fromFunctionAttributes(stack, 'Theirs', { functionArn, role });
    new TaskType(stack, 'Theirs2', { platform, handler, timeout: Duration.seconds(20) });

    Template.fromStack(stack).hasResourceProperties('AWS::IAM::Policy', {
      Roles: ['theirs'],
      PolicyDocument: Match.objectLike({ Statement: [Match.objectLike({ Action: 'sqs:SendMessage' })] }),
    });
    expect(Annotations.fromStack(stack).findWarning('*', Match.stringLikeRegexp('SendMessage'))).toEqual([]);
  });
});

describe('a task type of an entry file', () => {
  it('makes a Node function like those of the platform', () => {
    const { stack, platform } = makePlatform({ shards: 1 });
    const type = new TaskType(stack, 'Picture', {
      platform,
      timeout: Duration.minutes(2),
      handler: {
        entry: join(import.meta.dirname, 'fixtures', 'picture.ts'),
        nodeModules: ['sharp'],
        environment: { BUCKET: 'pictures' },
      },
    });

    const made = resourcesOf(stack, 'AWS::Lambda::Function').find(({ id }) => id.startsWith('Picture'));
    expect(made?.resource.Properties).toMatchObject({
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
      Timeout: 120,
      MemorySize: 512,
      Environment: { Variables: { NODE_OPTIONS: '--enable-source-maps', BUCKET: 'pictures' } },
    });
    expect(type.handler.role).toBeDefined();
    expect(specOf(Template.fromStack(stack))).toMatchObject({ type: 'picture', timeoutSeconds: 120 });
  });
});
