import { LIMITS, S3_SHORT_DAYS, SYSTEM_TYPES, taskTypeSpecSchema } from '@sluice/contracts';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Deployment, makePlatform, resourcesOf } from './synth.ts';

describe('a platform with no props', () => {
  let platform: Deployment;
  let template: Template;
  beforeAll(() => {
    platform = makePlatform();
    template = Template.fromStack(platform.stack);
  });

  it('keeps its table, on demand, with point-in-time recovery and both indexes', () => {
    template.hasResource('AWS::DynamoDB::Table', {
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
      Properties: {
        BillingMode: 'PAY_PER_REQUEST',
        DeletionProtectionEnabled: true,
        KeySchema: [
          { AttributeName: 'p', KeyType: 'HASH' },
          { AttributeName: 's', KeyType: 'RANGE' },
        ],
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
        TimeToLiveSpecification: { AttributeName: 'ttl', Enabled: true },
        GlobalSecondaryIndexes: [
          Match.objectLike({ IndexName: 'list', Projection: { ProjectionType: 'KEYS_ONLY' } }),
          Match.objectLike({ IndexName: 'dead', Projection: { ProjectionType: 'KEYS_ONLY' } }),
        ],
      },
    });
  });

  it('keeps its bucket, which nobody outside can read, and forgets objects only after every task that could need them', () => {
    template.hasResource('AWS::S3::Bucket', {
      DeletionPolicy: 'Retain',
      Properties: {
        PublicAccessBlockConfiguration: {
          BlockPublicAcls: true,
          BlockPublicPolicy: true,
          IgnorePublicAcls: true,
          RestrictPublicBuckets: true,
        },
        LifecycleConfiguration: {
          Rules: [
            Match.objectLike({ Prefix: 'short/', Status: 'Enabled', ExpirationInDays: S3_SHORT_DAYS + 1 }),
            Match.objectLike({ Prefix: 'long/', Status: 'Enabled', ExpirationInDays: LIMITS.delaySeconds / 86_400 + 365 }),
            Match.objectLike({ AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 } }),
          ],
        },
        VersioningConfiguration: Match.absent(),
      },
    });
  });

  it('has eight shards of each priority, hidden for as long as dispatch runs, and one queue for what redrive gives up on', () => {
    const queues = resourcesOf(platform.stack, 'AWS::SQS::Queue').map(({ resource }) => resource.Properties);
    const shards = queues.filter(({ QueueName: name }) => /^sluice-(high|normal|low)-[0-7]$/.test(String(name)));

    expect(shards).toHaveLength(24);
    for (const shard of shards) {
      expect(shard).toMatchObject({
        VisibilityTimeout: 180,
        MessageRetentionPeriod: 14 * 86_400,
        MaximumMessageSize: 1_048_576,
        RedrivePolicy: { maxReceiveCount: 1000 },
      });
    }
    expect(new Set(shards.map((shard) => JSON.stringify(shard['RedrivePolicy']))).size).toBe(1);
    expect(queues.map(({ QueueName: name }) => name).filter((name) => !/-\d$/.test(String(name)))).toEqual([
      'sluice-outcomes-dead',
      'sluice-outcomes',
      'sluice-control',
      'sluice-hints-dead',
    ]);
  });

  it('feeds every shard queue to dispatch without waiting for a full batch', () => {
    const sources = resourcesOf(platform.stack, 'AWS::Lambda::EventSourceMapping').filter(({ where }) => where.includes('Consumers'));

    expect(sources).toHaveLength(24);
    for (const { resource } of sources) {
      expect(resource.Properties).toMatchObject({ BatchSize: 10, FunctionResponseTypes: ['ReportBatchItemFailures'] });
      expect(resource.Properties).not.toHaveProperty('MaximumBatchingWindowInSeconds');
      expect(resource.Properties).not.toHaveProperty('ScalingConfig');
      expect(JSON.stringify(resource.Properties['FunctionName'])).toContain('dispatch');
    }
  });

  it('tells functions the queues by the URL of one of them, so that it holds for every partition and emulator', () => {
    template.hasResourceProperties('AWS::Lambda::Function', {
      FunctionName: 'sluice-submit',
      Environment: {
        Variables: Match.objectLike({
          SLUICE_SHARDS: '8',
          SLUICE_SHARDS_PER_TENANT: '2',
          SLUICE_QUEUE_PREFIX: {
            'Fn::Join': ['', [{ 'Fn::Select': [0, { 'Fn::Split': ['/sluice-high-0', Match.anyValue()] }] }, '/sluice-']],
          },
        }),
      },
    });
  });

  it('runs ten functions on arm64 and the newest Node, as ES modules', () => {
    template.resourceCountIs('AWS::Lambda::Function', 10);
    template.allResourcesProperties('AWS::Lambda::Function', {
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
      Handler: 'index.handler',
      TracingConfig: Match.absent(),
    });
  });

  it.each([
    ['dispatch', 180],
    ['api', 29],
    ['submit', 25],
    ['timers', 300],
    ['control', 120],
    ['audit', 900],
    ['system', 60],
  ])('lets %s run for %i s', (name, seconds) => {
    template.hasResourceProperties('AWS::Lambda::Function', { FunctionName: `sluice-${name}`, Timeout: seconds });
  });

  it("registers the platform's own task types, whose leases are not shorter than their function", () => {
    const specs = Object.values(template.findResources('Custom::SluiceTaskType')).map(({ Properties }) => {
      const [, parts] = (Properties as { Spec: { 'Fn::Join': [string, (string | { Ref: string })[]] } }).Spec['Fn::Join'];
      return taskTypeSpecSchema.parse(JSON.parse(parts.map((part) => (typeof part === 'string' ? part : part.Ref)).join('')));
    });
    expect(specs.map(({ type }) => type).sort()).toEqual(Object.values(SYSTEM_TYPES).sort());
    for (const spec of specs) {
      expect(spec).toMatchObject({ timeoutSeconds: 60, handler: { arn: expect.stringContaining('systemFunctionAliassluice') } });
    }
  });

  it('tells control by a queue whose messages are old after some minutes, many of them in one round', () => {
    template.hasResourceProperties('AWS::SQS::Queue', {
      QueueName: 'sluice-control',
      VisibilityTimeout: 120,
      MessageRetentionPeriod: 300,
      RedrivePolicy: Match.absent(),
    });
    template.hasResourceProperties('AWS::Lambda::EventSourceMapping', {
      FunctionName: { Ref: Match.stringLikeRegexp('control') },
      BatchSize: 100,
      MaximumBatchingWindowInSeconds: 1,
      ScalingConfig: { MaximumConcurrency: 2 },
    });
  });

  it('ticks every minute for timers and control, whose failed tick is not repeated, and daily for the audit', () => {
    const schedule = (rate: string, fn: string): void =>
      template.hasResourceProperties('AWS::Scheduler::Schedule', {
        GroupName: 'sluice',
        ScheduleExpression: rate,
        Target: Match.objectLike({ Arn: { 'Fn::GetAtt': [Match.stringLikeRegexp(`Functions${fn}`), 'Arn'] } }),
      });
    schedule('rate(1 minute)', 'timers');
    schedule('rate(1 minute)', 'control');
    schedule('rate(1 day)', 'audit');
    for (const name of ['timers', 'control']) {
      template.hasResourceProperties('AWS::Lambda::EventInvokeConfig', {
        FunctionName: { Ref: Match.stringLikeRegexp(name) },
        MaximumRetryAttempts: 0,
      });
    }
  });

  it('has the routes of the contracts, all that need a scope behind the token authorizer', () => {
    const routes = resourcesOf(platform.stack, 'AWS::ApiGatewayV2::Route').map(({ resource: { Properties: route } }) => [
      route['RouteKey'],
      route['AuthorizationType'],
    ]);
    expect(Object.fromEntries(routes)).toEqual({
      'POST /v1/tasks': 'CUSTOM',
      'GET /v1/lanes': 'CUSTOM',
      'GET /v1/lanes/{type}': 'CUSTOM',
      'GET /v1/breakers': 'CUSTOM',
      'GET /v1/breakers/{breaker}': 'CUSTOM',
      'POST /v1/tasks/batch': 'CUSTOM',
      'GET /v1/tasks': 'CUSTOM',
      'GET /v1/tasks/{id}': 'CUSTOM',
      'GET /v1/tasks/{id}/result': 'CUSTOM',
      'POST /v1/tasks/{id}/cancel': 'CUSTOM',
      'POST /v1/tasks/{id}/retry': 'CUSTOM',
      'GET /v1/schedules': 'CUSTOM',
      'PUT /v1/schedules/{name}': 'CUSTOM',
      'GET /v1/schedules/{name}': 'CUSTOM',
      'DELETE /v1/schedules/{name}': 'CUSTOM',
      'POST /v1/schedules/{name}/pause': 'CUSTOM',
      'POST /v1/schedules/{name}/resume': 'CUSTOM',
      'POST /v1/schedules/{name}/run': 'CUSTOM',
      'GET /v1/schedules/{name}/preview': 'CUSTOM',
      'POST /v1/schedules/preview': 'CUSTOM',
      'GET /v1/dead': 'CUSTOM',
      'POST /v1/redrives': 'CUSTOM',
      'GET /v1/redrives': 'CUSTOM',
      'GET /v1/redrives/{id}': 'CUSTOM',
      'POST /v1/redrives/{id}/cancel': 'CUSTOM',
      'POST /v1/redrives/{id}/pause': 'CUSTOM',
      'POST /v1/redrives/{id}/resume': 'CUSTOM',
      'GET /v1/tokens': 'CUSTOM',
      'POST /v1/tokens': 'CUSTOM',
      'DELETE /v1/tokens/{id}': 'CUSTOM',
      'POST /v1/tokens/{id}/rotate': 'CUSTOM',
      'GET /v1/heavy-hitters': 'CUSTOM',
      'GET /v1/shards': 'CUSTOM',
      'GET /v1/shards/{tenant}': 'CUSTOM',
      'GET /v1/quotas': 'CUSTOM',
      'GET /v1/quotas/{tenant}': 'CUSTOM',
      'PUT /v1/quotas/{tenant}': 'CUSTOM',
      'DELETE /v1/quotas/{tenant}': 'CUSTOM',
      'GET /v1/webhook-secrets': 'CUSTOM',
      'POST /v1/webhook-secrets': 'CUSTOM',
      'DELETE /v1/webhook-secrets/{id}': 'CUSTOM',
      'POST /v1/attempts': 'NONE',
      'GET /v1/health': 'NONE',
      'GET /v1/openapi.json': 'NONE',
    });
    template.allResourcesProperties('AWS::ApiGatewayV2::Integration', { PayloadFormatVersion: '2.0' });
    template.hasResourceProperties('AWS::ApiGatewayV2::Authorizer', {
      AuthorizerPayloadFormatVersion: '2.0',
      EnableSimpleResponses: true,
      IdentitySource: ['$request.header.Authorization'],
      AuthorizerResultTtlInSeconds: 60,
    });
  });

  it('throttles the default stage and writes no access log', () => {
    template.hasResourceProperties('AWS::ApiGatewayV2::Stage', {
      StageName: '$default',
      AutoDeploy: true,
      DefaultRouteSettings: { ThrottlingRateLimit: 5000, ThrottlingBurstLimit: 2500 },
      AccessLogSettings: Match.absent(),
    });
  });
});
