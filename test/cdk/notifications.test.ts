import { notifyRulesSchema, SYSTEM_TYPES, taskTypeSpecSchema } from '@sluice/contracts';
import { Stack } from 'aws-cdk-lib';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { describe, expect, it } from 'vitest';
import { TaskPlatform, TaskType, type TaskPlatformProps, type TaskTypeProps } from '../../lib/index.ts';
import { allowedTo, makeApp, makePlatform, resourcesOf, resourceWith } from './synth.ts';

const SEND = 'sqs:SendMessage';

function variablesOf(stack: Stack, name: string): Record<string, unknown> {
  const { resource } = resourceWith(stack, 'AWS::Lambda::Function', 'FunctionName', `sluice-${name}`);
  return (resource.Properties['Environment'] as { Variables: Record<string, unknown> }).Variables;
}

/** The rules as the function will read them, a queue's URL in place of the reference to it. */
function rulesOf(stack: Stack, name: string): unknown {
  const value = variablesOf(stack, name)['SLUICE_NOTIFY'];
  if (typeof value === 'string') return notifyRulesSchema.parse(JSON.parse(value));
  const [, parts] = (value as { 'Fn::Join': [string, unknown[]] })['Fn::Join'];
  return notifyRulesSchema.parse(JSON.parse(parts.map((part) => (typeof part === 'string' ? part : 'URL')).join('')));
}

function make(props: (stack: Stack) => TaskPlatformProps): { stack: Stack; platform: TaskPlatform } {
  const stack = new Stack(makeApp(), 'Sluice');
  return { stack, platform: new TaskPlatform(stack, 'Platform', { shards: 1, monitoring: false, ...props(stack) }) };
}

describe('notifications of a platform', () => {
  it('go to public hosts at port 443 and to no queue where nothing is said', () => {
    const { stack } = makePlatform();
    for (const name of ['submit', 'api', 'system']) expect(rulesOf(stack, name)).toEqual({ queues: {}, ports: [443], hosts: [] });
    expect(variablesOf(stack, 'system')).toMatchObject({ SLUICE_WEBHOOK_CA: 'none' });
  });

  it('go to the queues that are declared, also later, and the system function alone may send to them', () => {
    const { stack, platform } = make((scope) => ({
      notificationQueues: { ends: new Queue(scope, 'Ends'), team: { queue: new Queue(scope, 'Team'), tenants: ['acme'] } },
    }));
    platform.addNotificationQueue('late', new Queue(stack, 'Late'));
    const queues = { ends: { url: 'URL' }, team: { url: 'URL', tenants: ['acme'] }, late: { url: 'URL' } };
    for (const name of ['submit', 'api', 'system']) expect(rulesOf(stack, name)).toMatchObject({ queues });
    const ids = ['Ends', 'Team', 'Late'].map(
      (id) => resourcesOf(stack, 'AWS::SQS::Queue').find((queue) => queue.id.startsWith(id))?.id ?? '',
    );
    const maySend = (name: string) =>
      ids.filter((id) =>
        allowedTo(stack, `sluice-${name}`).some(({ action, statement }) => action === SEND && JSON.stringify(statement).includes(id)),
      );
    expect(maySend('system')).toEqual(ids);
    for (const name of ['submit', 'api', 'dispatch', 'settle']) expect(maySend(name)).toEqual([]);
  });

  it("may use the key of a queue that is encrypted with one's own", () => {
    const { stack } = make((scope) => ({
      notificationQueues: {
        ends: new Queue(scope, 'Ends', { encryption: QueueEncryption.KMS, encryptionMasterKey: new Key(scope, 'Key') }),
      },
    }));
    const actions = allowedTo(stack, 'sluice-system').map(({ action }) => action);
    expect(actions).toEqual(expect.arrayContaining(['kms:Decrypt', 'kms:GenerateDataKey']));
  });

  it('go to private hosts that are named, under an authority of their own', () => {
    const { stack } = make(() => ({ webhooks: { ports: [443, 8443], privateHosts: ['Hooks.internal'], certificateAuthority: 'PEM' } }));
    expect(rulesOf(stack, 'system')).toEqual({ queues: {}, ports: [443, 8443], hosts: ['hooks.internal'] });
    expect(variablesOf(stack, 'system')).toMatchObject({ SLUICE_WEBHOOK_CA: 'PEM' });
  });

  it.each<[string, (stack: Stack) => TaskPlatformProps, string]>([
    ['a malformed name', (s) => ({ notificationQueues: { 'A b': new Queue(s, 'Q') } }), 'lower-case letters, digits and "-"; given "A b"'],
    [
      'a tenant that is none',
      (s) => ({ notificationQueues: { q: { queue: new Queue(s, 'Q'), tenants: ['A'] } } }),
      '"A" is no name of a tenant',
    ],
    ['a port that is none', () => ({ webhooks: { ports: [0] } }), 'whole numbers from 1 to 65535; given 0'],
    ['a certificate that does not fit', () => ({ webhooks: { certificateAuthority: 'x'.repeat(3_001) } }), 'at most 3000 characters'],
  ])('refuse %s', (_, props, message) => {
    expect(() => make(props)).toThrow(message);
  });

  it('refuse a name twice', () => {
    const { stack, platform } = make((scope) => ({ notificationQueues: { ends: new Queue(scope, 'Ends') } }));
    expect(() => platform.addNotificationQueue('ends', new Queue(stack, 'Again'))).toThrow('it is declared already');
  });
});

describe('notifications of a task type', () => {
  const withType = (notify: NonNullable<TaskTypeProps['notify']>) => {
    const { stack, platform } = make((scope) => ({ notificationQueues: { ends: new Queue(scope, 'Ends') } }));
    const handler = new LambdaFunction(stack, 'Fn', {
      runtime: Runtime.NODEJS_24_X,
      handler: 'index.handler',
      code: Code.fromInline('exports.handler = 1'),
    });
    new TaskType(stack, 'Thumbnail', { platform, handler, notify });
    return { stack, platform };
  };

  it('are in what is registered', () => {
    const notify = {
      events: ['succeeded' as const],
      webhook: { url: 'https://hooks.example.com/' },
      queue: { name: 'ends', on: ['failed' as const] },
    };
    const { stack } = withType(notify);
    const specs = resourcesOf(stack, 'Custom::SluiceTaskType').map(({ resource }) => {
      const [, parts] = (resource.Properties['Spec'] as { 'Fn::Join': [string, unknown[]] })['Fn::Join'];
      return taskTypeSpecSchema.parse(JSON.parse(parts.map((part) => (typeof part === 'string' ? part : 'ARN')).join('')));
    });
    expect(specs.find(({ type }) => type === 'thumbnail')).toMatchObject({ notify });
    expect(specs.find(({ type }) => type === SYSTEM_TYPES.notify)).not.toHaveProperty('notify');
  });

  it('name a queue that is declared, by the end of the synthesis', () => {
    const { stack, platform } = withType({ queue: { name: 'late' } });
    const flaws = () => stack.node.findAll().flatMap((node) => node.node.validate());
    expect(flaws()).toEqual(['notify.queue: "late" is none of the platform\'s notificationQueues; these are: ends']);
    platform.addNotificationQueue('late', new Queue(stack, 'Late'));
    expect(flaws()).toEqual([]);
  });

  it('are refused where they are malformed', () => {
    expect(() => withType({ webhook: { url: 'http://hooks.example.com' } })).toThrow(
      'notify.webhook.url: a webhook is an absolute https:// URL',
    );
  });
});
