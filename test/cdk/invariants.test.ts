import { ENV_SCHEMAS, type FunctionName } from '@sluice/contracts';
import type { Stack } from 'aws-cdk-lib';
import { beforeAll, describe, expect, it } from 'vitest';
import { runtimeEnv } from '../../lib/functions/constants.ts';
import { type Located, list, makePlatform, type Resource, resourcesOf, resourceWith, statementsOf, templatesOf } from './synth.ts';

let stack: Stack;
beforeAll(() => {
  ({ stack } = makePlatform({ accessLog: true }));
});

interface Sections {
  Resources: Record<string, Resource>;
  Outputs?: object;
  Parameters?: object;
}

/** The ids of the resources in which the check fails. */
function failing(type: string, check: (located: Located) => boolean): string[] {
  const all = resourcesOf(stack, type);
  expect(all.length).toBeGreaterThan(0);
  return all.filter((located) => !check(located)).map(({ where }) => where);
}

function mentions(value: unknown, id: string): boolean {
  return JSON.stringify(value ?? null).includes(`"${id}"`);
}

describe('in every template', () => {
  it('each queue has a redrive policy, is the dead-letter queue of another, or keeps messages for minutes only', () => {
    const bad = failing(
      'AWS::SQS::Queue',
      ({ id, resource, siblings }) =>
        resource.Properties['RedrivePolicy'] !== undefined ||
        Number(resource.Properties['MessageRetentionPeriod']) <= 300 ||
        Object.values(siblings).some(({ Type, Properties }) => Type === 'AWS::SQS::Queue' && mentions(Properties['RedrivePolicy'], id)),
    );
    expect(bad).toEqual([]);
  });

  it('each queue is encrypted and refuses calls without TLS', () => {
    const bad = failing(
      'AWS::SQS::Queue',
      ({ id, resource, siblings }) =>
        resource.Properties['SqsManagedSseEnabled'] === true &&
        Object.values(siblings).some(
          (policy) =>
            policy.Type === 'AWS::SQS::QueuePolicy' &&
            mentions(policy.Properties['Queues'], id) &&
            statementsOf(policy).some((s) => s.Effect === 'Deny' && mentions(s.Condition, 'aws:SecureTransport')),
        ),
    );
    expect(bad).toEqual([]);
  });

  it('the bucket refuses calls without TLS', () => {
    const bad = failing('AWS::S3::Bucket', ({ id, siblings }) =>
      Object.values(siblings).some(
        (policy) =>
          policy.Type === 'AWS::S3::BucketPolicy' &&
          mentions(policy.Properties['Bucket'], id) &&
          statementsOf(policy).some((s) => s.Effect === 'Deny' && mentions(s.Condition, 'aws:SecureTransport')),
      ),
    );
    expect(bad).toEqual([]);
  });

  it('each event source of a queue reports partial failures', () => {
    const bad = failing('AWS::Lambda::EventSourceMapping', ({ resource }) =>
      mentions(resource.Properties['FunctionResponseTypes'], 'ReportBatchItemFailures'),
    );
    expect(bad).toEqual([]);
  });

  it('each function has a log group of its own, which forgets', () => {
    const groups = new Set<string>();
    const bad = failing('AWS::Lambda::Function', ({ resource, siblings }) => {
      const group = (resource.Properties['LoggingConfig'] as { LogGroup?: { Ref?: string } } | undefined)?.LogGroup?.Ref;
      if (group === undefined || groups.has(group)) return false;
      groups.add(group);
      return siblings[group]?.Properties['RetentionInDays'] !== undefined;
    });
    expect(bad).toEqual([]);
    expect(failing('AWS::Logs::LogGroup', ({ resource }) => resource.Properties['RetentionInDays'] !== undefined)).toEqual([]);
  });

  it('no role is allowed a wildcard action, nor every resource', () => {
    const bad = failing('AWS::IAM::Policy', ({ resource }) =>
      statementsOf(resource)
        .filter((statement) => statement.Effect === 'Allow')
        .every((s) => !list(s.Action).some((action) => action.includes('*')) && !list(s.Resource).includes('*')),
    );
    expect(bad).toEqual([]);
    expect(failing('AWS::IAM::Role', ({ resource }) => !resource.Properties['ManagedPolicyArns'])).toEqual([]);
  });

  it('a resource pattern is only for the shards of a priority and the objects of the bucket', () => {
    const patterns = resourcesOf(stack, 'AWS::IAM::Policy')
      .flatMap(({ resource }) => statementsOf(resource))
      .filter((statement) => statement.Effect === 'Allow')
      .flatMap((statement) => list(statement.Resource))
      .map((resource) => JSON.stringify(resource))
      .filter((resource) => resource.includes('*'))
      .map((resource) => /[^":]*\*/.exec(resource)?.[0]);
    expect([...new Set(patterns)].sort()).toEqual(['/*', 'sluice-high-*', 'sluice-low-*', 'sluice-normal-*']);
  });

  it.each(Object.keys(ENV_SCHEMAS) as FunctionName[])('%s has the variables of its schema and no other', (name) => {
    const { resource } = resourceWith(stack, 'AWS::Lambda::Function', 'FunctionName', `sluice-${name}`);
    const { Variables: variables } = resource.Properties['Environment'] as { Variables: Record<string, string> };

    const expected = [...Object.keys(ENV_SCHEMAS[name].shape), ...Object.keys(runtimeEnv('sluice'))];
    expect(Object.keys(variables).sort()).toEqual(expected.sort());
  });

  it('there is no custom resource of CDK, and no more resources than a stack holds even with the most shards', () => {
    const templates = [...templatesOf(makePlatform({ shards: 64, shardsPerTenant: 2 }).stack).values()];
    for (const template of templates) {
      const { Resources: resources, Outputs: outputs = {}, Parameters: parameters = {} } = template.toJSON() as Sections;
      expect(Object.keys(resources).length).toBeLessThan(500);
      expect(Object.keys(outputs).length).toBeLessThanOrEqual(200);
      expect(Object.keys(parameters).length).toBeLessThanOrEqual(200);
      expect(Object.values(resources).filter(({ Type }) => Type.startsWith('Custom::') && !/^Custom::Sluice(TaskType|Resource)$/.test(Type))).toEqual([]);
    }
  });
});
