import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { Architecture } from 'aws-cdk-lib/aws-lambda';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { describe, expect, it } from 'vitest';
import { allowedTo, makePlatform, resourcesOf, templatesOf } from './synth.ts';

describe('props of the platform', () => {
  it('name every physical thing by their prefix', () => {
    const { stack } = makePlatform({ name: 'orders' });
    const template = Template.fromStack(stack);

    template.hasResourceProperties('AWS::Events::EventBus', { Name: 'orders' });
    template.hasResourceProperties('AWS::Scheduler::ScheduleGroup', { Name: 'orders' });
    template.hasResourceProperties('AWS::Lambda::Function', { FunctionName: 'orders-dispatch' });
    template.hasResourceProperties('AWS::Logs::LogGroup', { LogGroupName: '/aws/lambda/orders-dispatch' });
    expect(JSON.stringify([...templatesOf(stack).values()].map((each) => each.toJSON()))).not.toMatch(/sluice-(high|outcomes|submit)/);
  });

  it('set the number of shards', () => {
    const { stack } = makePlatform({ shards: 1 });
    expect(resourcesOf(stack, 'AWS::Lambda::EventSourceMapping')).toHaveLength(3 + 2);
    Template.fromStack(stack).hasResourceProperties('AWS::Lambda::Function', {
      Environment: { Variables: Match.objectLike({ SLUICE_SHARDS: '1', SLUICE_SHARDS_PER_TENANT: '1' }) },
    });
  });

  it('leave out the list index', () => {
    const { stack } = makePlatform({ listIndex: false });
    const template = Template.fromStack(stack);
    template.hasResourceProperties('AWS::DynamoDB::Table', {
      GlobalSecondaryIndexes: [Match.objectLike({ IndexName: 'dead' })],
    });
    for (const name of ['submit', 'api']) {
      template.hasResourceProperties('AWS::Lambda::Function', {
        FunctionName: `sluice-${name}`,
        Environment: { Variables: Match.objectLike({ SLUICE_LIST_INDEX: 'off' }) },
      });
    }
    expect(JSON.stringify(allowedTo(stack, 'sluice-api'))).not.toContain('/index/list');
  });

  it('let table and bucket go with the stack, the deletion protection too unless it is asked for', () => {
    const template = Template.fromStack(makePlatform({ removalPolicy: RemovalPolicy.DESTROY }).stack);
    template.hasResource('AWS::DynamoDB::Table', { DeletionPolicy: 'Delete', Properties: { DeletionProtectionEnabled: false } });
    template.hasResource('AWS::S3::Bucket', { DeletionPolicy: 'Delete' });
    template.resourceCountIs('Custom::S3AutoDeleteObjects', 0);

    Template.fromStack(makePlatform({ removalPolicy: RemovalPolicy.DESTROY, deletionProtection: true }).stack).hasResourceProperties(
      'AWS::DynamoDB::Table',
      { DeletionProtectionEnabled: true },
    );
  });

  it('put SigV4 in the place of tokens, with no authorizer function and no routes for tokens', () => {
    const { stack } = makePlatform({ auth: 'iam' });
    const template = Template.fromStack(stack);
    const routes = resourcesOf(stack, 'AWS::ApiGatewayV2::Route').map(({ resource }) => String(resource.Properties['RouteKey']));
    expect(routes.filter((route) => route.includes('/v1/tokens'))).toEqual([]);
    expect(routes).toContain('GET /v1/tasks');
    template.hasResourceProperties('AWS::ApiGatewayV2::Route', {
      RouteKey: 'POST /v1/tasks',
      AuthorizationType: 'AWS_IAM',
      AuthorizerId: Match.absent(),
    });
    template.resourceCountIs('AWS::ApiGatewayV2::Authorizer', 0);
    template.resourceCountIs('AWS::Lambda::Function', 9);
  });

  it('set the cache of tokens, the throttle, the access log, the log retention and the architecture', () => {
    const template = Template.fromStack(
      makePlatform({
        tokenCacheTtl: Duration.seconds(0),
        requestsPerSecond: 100,
        requestBurst: 50,
        accessLog: true,
        logRetention: RetentionDays.ONE_WEEK,
        architecture: Architecture.X86_64,
      }).stack,
    );
    template.hasResourceProperties('AWS::ApiGatewayV2::Authorizer', { AuthorizerResultTtlInSeconds: 0 });
    template.hasResourceProperties('AWS::ApiGatewayV2::Stage', {
      DefaultRouteSettings: { ThrottlingRateLimit: 100, ThrottlingBurstLimit: 50 },
      AccessLogSettings: Match.objectLike({ DestinationArn: Match.anyValue() }),
    });
    template.allResourcesProperties('AWS::Logs::LogGroup', { RetentionInDays: 7 });
    template.allResourcesProperties('AWS::Lambda::Function', { Architectures: ['x86_64'] });
  });

  it('bound the concurrency of each event source', () => {
    const sources = resourcesOf(makePlatform({ maxConcurrency: 20 }).stack, 'AWS::Lambda::EventSourceMapping');
    const bounded = sources
      .filter(({ where }) => where.includes('Consumers'))
      .filter(({ resource }) => resource.Properties['ScalingConfig'] !== undefined);
    expect(bounded).toHaveLength(24);
    expect(bounded[0]?.resource.Properties['ScalingConfig']).toEqual({ MaximumConcurrency: 20 });
  });
});
