import { isSystemName } from '@sluice/contracts';
import { Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { beforeAll, describe, expect, it } from 'vitest';
import { addExamples } from '../../examples/stack.ts';
import { TaskPlatform } from '../../lib/index.ts';
import { makeApp } from '../cdk/synth.ts';

function synthesise(context: Record<string, string> = {}): { stack: Stack; template: Template } {
  const app = makeApp();
  for (const [key, value] of Object.entries(context)) app.node.setContext(key, value);
  const stack = new Stack(app, 'Sluice');
  addExamples(stack, new TaskPlatform(stack, 'Platform'));
  return { stack, template: Template.fromStack(stack) };
}

let stack: Stack;
let template: Template;

beforeAll(() => {
  ({ stack, template } = synthesise());
});

/** The specs that the examples' task types register, tokens left out. */
function specs(): Record<string, unknown>[] {
  const all = Object.values(template.findResources('Custom::SluiceTaskType')).map((resource) => {
    const { Spec: spec } = (resource as { Properties: { Spec: string | { 'Fn::Join': [string, unknown[]] } } }).Properties;
    const text = typeof spec === 'string' ? spec : spec['Fn::Join'][1].map((p) => (typeof p === 'string' ? p : 'X')).join('');
    return JSON.parse(text) as Record<string, unknown>;
  });
  return all.filter(({ type }) => !isSystemName(String(type)));
}

/** Statements of the policies of a function's role that are about S3 or DynamoDB. */
function statementsOf(path: string): { Action: unknown; Resource: unknown }[] {
  return Object.entries(template.findResources('AWS::IAM::Policy'))
    .filter(([id]) => id.startsWith(path))
    .flatMap(([, policy]) => policy['Properties'].PolicyDocument.Statement as { Action: unknown; Resource: unknown }[])
    .filter(({ Action }) => /s3:|dynamodb:/.test(JSON.stringify(Action)));
}

describe('the examples in the stack', () => {
  it('are twelve task types that cover both starters and the choice of them, with a full lane to show, and two that share a resource', () => {
    const summary = specs().map(({ type, start, timeoutSeconds, concurrency }) => [type, start, timeoutSeconds, concurrency]);
    expect(summary.sort()).toEqual([
      ['clean-text', 'wait', 10, 3],
      ['fragile', 'event', 3, 3],
      ['import-csv', 'event', 300, 1],
      ['narrow', 'event', 3, 2],
      ['order', 'event', 3, 3],
      ['refund', 'wait', 3, 3],
      ['send-email', 'wait', 20, 3],
      ['slow-report', 'event', 900, 5],
      ['thumbnail', 'event', 60, 2],
      ['unruly', 'event', 3, 3],
      ['unruly-auto', 'auto', 3, 3],
      ['unruly-wait', 'wait', 3, 3],
    ]);
    const drawing = specs().filter(({ resources }) => (resources as string[] | undefined)?.includes('vendor'));
    expect(drawing.map(({ type }) => type).sort()).toEqual(['order', 'refund']);
  });

  it('share one function between the seven unruly types', () => {
    const arns = specs().map(({ type, handler }) => [type, JSON.stringify(handler)]);
    expect(arns).toHaveLength(12);
    template.resourcePropertiesCountIs('AWS::Lambda::Function', { Timeout: 3, MemorySize: 128 }, 1);
  });

  it('may touch their own files and table and nothing else', () => {
    const bucket = { 'Fn::GetAtt': [Match.stringLikeRegexp('^ExamplesBucket'), 'Arn'] };
    const objects = (keys: string) => ({ 'Fn::Join': ['', [bucket, `/${keys}`]] });
    const expected = {
      ExamplesThumbnail: [
        { Action: ['s3:GetObject', 's3:PutObject'], Resource: objects('photos/*') },
        { Action: 's3:ListBucket', Resource: bucket },
      ],
      ExamplesImportCsv: [
        { Action: 's3:GetObject', Resource: objects('csv/*') },
        { Action: 's3:ListBucket', Resource: bucket },
        { Action: 'dynamodb:BatchWriteItem', Resource: { 'Fn::GetAtt': [Match.stringLikeRegexp('^ExamplesCities'), 'Arn'] } },
      ],
      ExamplesSendEmail: [],
      ExamplesPython: [],
      ExamplesUnruly: [],
    };
    for (const [path, statements] of Object.entries(expected)) {
      expect(statementsOf(path), path).toHaveLength(statements.length);
      for (const statement of statements) {
        const document = { Statement: Match.arrayWith([Match.objectLike(statement)]) };
        template.hasResourceProperties('AWS::IAM::Policy', { PolicyDocument: document });
      }
    }
  });

  it('keep their data where TLS is a must and the stack can be deleted', () => {
    const ids = (type: string) => Object.keys(template.findResources(type)).filter((id) => id.startsWith('Examples'));
    for (const type of ['AWS::S3::Bucket', 'AWS::DynamoDB::Table']) {
      expect(ids(type)).toHaveLength(1);
      expect(template.findResources(type)[ids(type)[0] ?? '']).toMatchObject({ DeletionPolicy: 'Delete' });
    }
    template.hasResourceProperties('AWS::S3::BucketPolicy', {
      Bucket: { Ref: Match.stringLikeRegexp('^ExamplesBucket') },
      PolicyDocument: {
        Statement: Match.arrayWith([Match.objectLike({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } })]),
      },
    });
    template.resourceCountIs('Custom::S3AutoDeleteObjects', 0);
  });

  it('say where their data is', () => {
    template.hasOutput('ExamplesBucket', { Value: { Ref: Match.stringLikeRegexp('^ExamplesBucket') } });
    template.hasOutput('CitiesTable', { Value: { Ref: Match.stringLikeRegexp('^ExamplesCities') } });
  });

  it('run Python in its newest version', () => {
    template.hasResourceProperties('AWS::Lambda::Function', { Runtime: 'python3.15', Handler: 'handler.handler' });
  });

  it('take the mail server from the context, or a local one', () => {
    const variables = (sought: Record<string, string>) => ({ Environment: { Variables: Match.objectLike(sought) } });
    template.hasResourceProperties('AWS::Lambda::Function', variables({ SMTP_URL: 'smtp://127.0.0.1:2525' }));
    const given = synthesise({ smtpUrl: 'smtps://mail.example', mailFrom: 'a@b.example' }).template;
    given.hasResourceProperties('AWS::Lambda::Function', variables({ SMTP_URL: 'smtps://mail.example', MAIL_FROM: 'a@b.example' }));
  });

  it('have no finding of cdk-nag that is not explained', () => {
    const report = new AwsSolutionsChecks(stack).validateScope(stack.node.findChild('Examples'));
    expect(report.violations.map(({ ruleName, violatingResources }) => [ruleName, violatingResources])).toEqual([]);
    expect(report.success).toBe(true);
  });
});
