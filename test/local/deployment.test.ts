import { DynamoDBClient, PutItemCommand, QueryCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { CfnOutput, CfnResource, CustomResource, NestedStack, RemovalPolicy, Stack, App, Fn, CfnCondition } from 'aws-cdk-lib';
import { AttributeType, ProjectionType, Table, TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { startHost } from '../../local/host.ts';
import { closeAll, eventually, clientConfig, inlineFunction, run, synthesise, temporaryFolder, using } from './support/harness.ts';

afterEach(closeAll);

/** Answers by the URL that it is given, with what the properties say. */
const CUSTOM = `
exports.handler = async (event) => {
  console.log(event.RequestType + ' ' + JSON.stringify(event.ResourceProperties) + ' ' + (event.PhysicalResourceId ?? ''));
  if (event.ResourceProperties.crash) throw new Error('crashed');
  const failed = event.ResourceProperties.fail === 'true';
  await fetch(event.ResponseURL, { method: 'PUT', body: JSON.stringify({
    Status: failed ? 'FAILED' : 'SUCCESS', Reason: 'told to', PhysicalResourceId: 'thing-' + event.ResourceProperties.value,
    StackId: event.StackId, RequestId: event.RequestId, LogicalResourceId: event.LogicalResourceId, Data: { Answer: event.ResourceProperties.value + '!' },
  }) });
};`;

/** Answers as CDK's and CloudFormation's own handlers do: by https to the URL's host and path. */
const CUSTOM_HTTPS = `
const https = require('https');
exports.handler = (event) => new Promise((resolve, reject) => {
  const url = new URL(event.ResponseURL);
  const body = JSON.stringify({ Status: 'SUCCESS', PhysicalResourceId: 'p', Data: { Via: 'https' } });
  const request = https.request({ hostname: url.hostname, port: 443, path: url.pathname, method: 'PUT', headers: { 'content-length': body.length } }, resolve);
  request.on('error', reject);
  request.end(body);
});`;

describe('a deployment', () => {
  it('makes tables, queues and buckets from the templates', async () => {
    const host = await run(
      synthesise((stack) => {
        const table = new Table(stack, 'Tasks', {
          partitionKey: { name: 'pk', type: AttributeType.STRING },
          sortKey: { name: 'sk', type: AttributeType.STRING },
          removalPolicy: RemovalPolicy.DESTROY,
        });
        table.addGlobalSecondaryIndex({
          indexName: 'list',
          partitionKey: { name: 'day', type: AttributeType.STRING },
          projectionType: ProjectionType.KEYS_ONLY,
        });
        new TableV2(stack, 'Global', { partitionKey: { name: 'pk', type: AttributeType.STRING }, tableName: 'global' });
        new Bucket(stack, 'Payloads');
      }),
    );
    expect(host.clientEnv()).toMatchObject({ AWS_REGION: 'us-east-1', AWS_ENDPOINT_URL_DYNAMODB: host.endpoints.dynamodb });
    const dynamodb = using(new DynamoDBClient(clientConfig(host.endpoints.dynamodb)));
    const table = host.physicalId('Test/Tasks')!;
    const key = { pk: { S: 'a' }, sk: { S: 'b' } };
    await dynamodb.send(new PutItemCommand({ TableName: table, Item: { ...key, day: { S: 'd' }, n: { N: '1' } } }));
    const listed = await dynamodb.send(
      new QueryCommand({
        TableName: table,
        IndexName: 'list',
        KeyConditionExpression: '#day = :day',
        ExpressionAttributeNames: { '#day': 'day' },
        ExpressionAttributeValues: { ':day': { S: 'd' } },
      }),
    );
    expect(listed.Items).toEqual([{ ...key, day: { S: 'd' } }]);
    // The loser of a condition learns the item that it was checked against.
    const losing = new UpdateItemCommand({
      TableName: table,
      Key: key,
      UpdateExpression: 'SET n = :two',
      ConditionExpression: 'n = :two',
      ExpressionAttributeValues: { ':two': { N: '2' } },
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    });
    await expect(dynamodb.send(losing)).rejects.toMatchObject({
      name: 'ConditionalCheckFailedException',
      Item: { ...key, day: { S: 'd' }, n: { N: '1' } },
    });
    expect(host.physicalId('Global')).toBe('global');

    const s3 = using(new S3Client(clientConfig(host.endpoints.s3)));
    const bucket = host.physicalId('Payloads')!;
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: 'large', Body: Buffer.alloc(12_000_000) }));
    const { Body: body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: 'large' }));
    expect((await body!.transformToByteArray()).length).toBe(12_000_000);
  });

  it('resolves nested stacks, other stacks, conditions and functions of templates', async () => {
    const outdir = join(temporaryFolder(), 'cdk.out');
    const app = new App({ outdir });
    const base = new Stack(app, 'Base');
    const queue = new Queue(base, 'Shared');
    const main = new Stack(app, 'Main');
    const nested = new NestedStack(main, 'Inner');
    const fn = inlineFunction(nested, 'inner', `exports.handler = async () => process.env.QUEUE`, {
      environment: { QUEUE: queue.queueUrl },
    });
    new CfnCondition(main, 'Yes', { expression: Fn.conditionEquals(Fn.ref('AWS::Region'), 'us-east-1') });
    new CfnOutput(main, 'Name', { value: fn.functionName });
    new CfnOutput(main, 'Chosen', { value: Fn.conditionIf('Yes', Fn.join('-', Fn.split(',', 'a,b')), 'no').toString() });
    new CfnOutput(main, 'Sub', { value: Fn.sub('${AWS::AccountId}/${x}/${!literal}', { x: Fn.select(1, ['p', 'q']) }) });
    app.synth();
    const host = await run(outdir);
    expect(host.outputs).toMatchObject({ Name: 'inner', Chosen: 'a-b', Sub: '000000000000/q/${literal}' });
    expect(await host.invoke('inner', {})).toMatchObject({ payload: JSON.stringify(host.physicalId('Shared')) });
    expect(host.physicalId('Main/Inner/inner')).toBe('inner');
  });

  it.each([
    [
      'a resource type',
      (stack: Stack) => new CfnResource(stack, 'Odd', { type: 'AWS::Odd::Thing' }),
      'UNSUPPORTED_RESOURCE',
      /AWS::Odd::Thing \(Odd\)/,
    ],
    [
      'an intrinsic',
      (stack: Stack) => new CfnResource(stack, 'Odd', { type: 'AWS::SQS::Queue', properties: { QueueName: { 'Fn::Odd': 1 } } }),
      'UNSUPPORTED_INTRINSIC',
      /Fn::Odd/,
    ],
    [
      'a runtime',
      (stack: Stack) =>
        inlineFunction(stack, 'Odd', '1', { runtime: { name: 'nodejs', supportsInlineCode: true } as never }).node.defaultChild &&
        (stack.node.findChild('Odd').node.defaultChild as CfnResource).addPropertyOverride('Runtime', 'java21'),
      'UNSUPPORTED_PROPERTY',
      /java21/,
    ],
  ])('names %s that it does not support', async (_what, build, code, message) => {
    const assembly = synthesise((stack) => void build(stack));
    await expect(startHost({ assembly })).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  it('says in one line that there is no assembly, or that the port is taken', async () => {
    await expect(startHost({ assembly: '/no/where' })).rejects.toMatchObject({ code: 'ASSEMBLY_NOT_FOUND' });
    const taken = createServer().listen(0, '127.0.0.1');
    using(taken);
    await eventually(() => taken.listening);
    const { port } = taken.address() as AddressInfo;
    const assembly = synthesise((stack) => void new Queue(stack, 'Q'));
    await expect(startHost({ assembly, port })).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      message: expect.stringMatching(new RegExp(`^Port ${port} is in use[^\\n]*$`)),
    });
  });
});

describe('custom resources', () => {
  const build = (properties: Record<string, unknown> | undefined) => (stack: Stack) => {
    const fn = inlineFunction(stack, 'custom', CUSTOM);
    if (properties === undefined) return;
    const resource = new CustomResource(stack, 'Thing', {
      serviceToken: fn.functionArn,
      resourceType: 'Custom::Thing',
      properties,
    });
    new CfnOutput(stack, 'Answer', { value: resource.getAttString('Answer') });
    new CfnOutput(stack, 'Ref', { value: resource.ref });
  };

  it('are created, updated and deleted, with values as strings', async () => {
    const host = await run(synthesise(build({ value: 1, deep: { flag: true } })));
    expect(host.outputs).toMatchObject({ Answer: '1!', Ref: 'thing-1' });
    await host.logged((entry) => entry.message.startsWith('Create') && entry.message.includes('"deep":{"flag":"true"}'));
    expect(await host.reload(synthesise(build({ value: 2 })))).toEqual([]);
    expect(host.outputs).toMatchObject({ Answer: '2!', Ref: 'thing-2' });
    await host.logged((entry) => entry.message.startsWith('Update') && entry.message.includes('thing-1'));
    // The update made another thing, so the old one is deleted.
    await host.logged((entry) => entry.message.startsWith('Delete') && entry.message.endsWith('thing-1'));
    await host.reload(synthesise(build(undefined)));
    await host.logged((entry) => entry.message.startsWith('Delete') && entry.message.endsWith('thing-2'));
  });

  it.each([
    ['says that it failed', { value: 1, fail: true }, /Create of Thing \(Custom::Thing\) failed: told to/],
    ['crashes', { value: 1, crash: true }, /crashed/],
  ])('stop the start when one %s', async (_how, properties, message) => {
    await expect(startHost({ assembly: synthesise(build(properties)) })).rejects.toMatchObject({
      code: 'CUSTOM_RESOURCE_FAILED',
      message: expect.stringMatching(message),
    });
  });

  it('may answer by https, as handlers written for AWS do', async () => {
    const host = await run(
      synthesise((stack) => {
        const fn = inlineFunction(stack, 'custom', CUSTOM_HTTPS);
        const resource = new CustomResource(stack, 'Thing', { serviceToken: fn.functionArn });
        new CfnOutput(stack, 'Via', { value: resource.getAttString('Via') });
      }),
    );
    expect(host.outputs['Via']).toBe('https');
  });
});

describe('a reload', () => {
  it('swaps changed code, lets running calls finish, and adds and removes what the templates do', async () => {
    const build = (answer: number, queueName: string) => (stack: Stack) => {
      const fn = inlineFunction(stack, 'answer', `exports.handler = (e) => new Promise((r) => setTimeout(r, e.ms ?? 0, ${answer}))`);
      fn.addEventSource(new SqsEventSource(new Queue(stack, queueName)));
      inlineFunction(stack, 'same', `exports.handler = async () => 'same'`);
    };
    const host = await run(synthesise(build(1, 'First')));
    expect(await host.invoke('answer', {})).toMatchObject({ payload: '1' });
    const running = host.invoke('answer', { ms: 500 });
    expect(await host.reload(synthesise(build(2, 'Second')))).toEqual(['answer']);
    expect(await host.invoke('answer', {})).toMatchObject({ payload: '2' });
    expect(await running).toMatchObject({ payload: '1' });
    expect(host.physicalId('First')).toBeUndefined();
    expect(host.physicalId('Second')).toMatch(/^http/);
    await host.sqs.send(new SendMessageCommand({ QueueUrl: host.physicalId('Second')!, MessageBody: 'x' }));
    await eventually(async () => (await host.invoke('same', {})).kind === 'completed');
  });
});
