import { ENV_SCHEMAS, type FunctionName } from '@sluice/contracts';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { beforeAll, describe, expect, it } from 'vitest';
import { allowedTo, type Deployment, makePlatform } from './synth.ts';

describe('what each function may do', () => {
  const HINT = ['sqs:SendMessage'];
  /** The control queue. */
  const TELL = ['sqs:SendMessage'];
  const CONSUME = ['sqs:DeleteMessage', 'sqs:GetQueueAttributes', 'sqs:ReceiveMessage'];
  const table = (...actions: string[]): string[] => actions.map((action) => `dynamodb:${action}`);
  let stack: Deployment['stack'];
  beforeAll(() => {
    ({ stack } = makePlatform());
  });

  it.each([
    ['submit', [...table('GetItem', 'PutItem', 'UpdateItem', 'Query'), ...HINT, 's3:PutObject', 'events:PutEvents']],
    [
      'api',
      [
        // The second Query is that of the indexes, in one statement.
        ...table('GetItem', 'BatchGetItem', 'PutItem', 'UpdateItem', 'DeleteItem', 'Query', 'Query'),
        // Hints, and the control queue, in one statement.
        ...HINT,
        's3:GetObject',
        's3:PutObject',
        's3:ListBucket',
        'events:PutEvents',
      ],
    ],
    ['authorizer', table('GetItem')],
    [
      'dispatch',
      [
        ...table('GetItem', 'PutItem', 'UpdateItem', 'DeleteItem', 'Query', 'BatchWriteItem'),
        ...HINT,
        ...TELL,
        ...CONSUME,
        // The platform's own handler.
        'lambda:InvokeFunction',
        'sqs:ChangeMessageVisibility',
        's3:GetObject',
        's3:PutObject',
        's3:ListBucket',
        'events:PutEvents',
      ],
    ],
    [
      'settle',
      [
        ...table('GetItem', 'PutItem', 'UpdateItem', 'Query'),
        ...HINT,
        ...CONSUME,
        's3:GetObject',
        's3:PutObject',
        's3:ListBucket',
        'events:PutEvents',
      ],
    ],
    [
      'timers',
      [
        ...table('GetItem', 'PutItem', 'UpdateItem', 'DeleteItem', 'Query'),
        ...HINT,
        'sqs:DeleteMessage',
        'sqs:ReceiveMessage',
        's3:PutObject',
        'events:PutEvents',
      ],
    ],
    [
      'control',
      [
        ...table('GetItem', 'PutItem', 'UpdateItem', 'DeleteItem', 'Query'),
        ...HINT,
        // Its own queue, which it tells itself by too.
        ...CONSUME,
        'sqs:SendMessage',
        // To look at the queues of hints.
        'sqs:GetQueueAttributes',
        'sqs:ReceiveMessage',
        // Queues of single tenants, and their event sources.
        'sqs:CreateQueue',
        'sqs:TagQueue',
        'sqs:DeleteQueue',
        'sqs:DeleteMessage',
        'sqs:ListQueues',
        'lambda:CreateEventSourceMapping',
        'lambda:DeleteEventSourceMapping',
        'lambda:ListEventSourceMappings',
        'lambda:TagResource',
      ],
    ],
    ['audit', [...table('Scan', 'GetItem', 'Query'), ...HINT]],
    ['registrar', table('GetItem', 'PutItem', 'DeleteItem')],
    [
      'system',
      [
        // The second Query is that of the index of failures.
        ...table('GetItem', 'BatchGetItem', 'PutItem', 'UpdateItem', 'Query', 'Query'),
        // Hints, and its outcomes.
        ...HINT,
        's3:GetObject',
        's3:PutObject',
        's3:ListBucket',
        'events:PutEvents',
      ],
    ],
  ])('%s', (name, expected) => {
    const actions = allowedTo(stack, `sluice-${name}`).map(({ action }) => action);
    expect(actions).toEqual([...expected].sort((a, b) => a.localeCompare(b)));
  });

  it.each([
    ['authorizer', ['K#*', 'I#*']],
    ['registrar', ['Y', 'YE#*']],
  ])('%s sees only the partitions %j', (name, keys) => {
    for (const { statement } of allowedTo(stack, `sluice-${name}`)) {
      expect(statement.Condition).toEqual({ 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': keys } });
    }
  });
});

it('lets the API alone query the list index, and the functions that redrive that of failures; tells dispatch where the API is', () => {
  const { stack } = makePlatform();
  const queries = (index: string) =>
    (Object.keys(ENV_SCHEMAS) as FunctionName[]).flatMap((name) =>
      allowedTo(stack, `sluice-${name}`)
        .filter(({ statement }) => JSON.stringify(statement.Resource).includes(`/index/${index}`))
        .map(({ action }) => `${name} ${action}`),
    );
  expect(queries('list')).toEqual(['api dynamodb:Query']);
  expect(queries('dead')).toEqual(['api dynamodb:Query', 'system dynamodb:Query']);
  expect(queries('')).toHaveLength(2);
  Template.fromStack(stack).hasResourceProperties('AWS::Lambda::Function', {
    FunctionName: 'sluice-dispatch',
    Environment: { Variables: Match.objectLike({ SLUICE_API_URL: { 'Fn::GetAtt': [Match.anyValue(), 'ApiEndpoint'] } }) },
  });
});
