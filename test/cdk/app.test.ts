import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { FLAGS, type Resource, ROOT } from './synth.ts';

const out = mkdtempSync(join(tmpdir(), 'sluice-app-'));
afterAll(() => rmSync(out, { recursive: true, force: true }));

interface AppTemplate {
  Resources: Record<string, Resource>;
  Outputs: object;
}

/** Runs the app as the CDK CLI would, without bundling. */
function synth(context: Record<string, string>): AppTemplate {
  execFileSync(process.execPath, ['bin/app.ts'], {
    cwd: ROOT,
    stdio: 'pipe',
    env: {
      ...process.env,
      CDK_OUTDIR: out,
      CDK_CONTEXT_JSON: JSON.stringify({ ...FLAGS, ...context, 'aws:cdk:bundling-stacks': [] }),
    },
  });
  return JSON.parse(readFileSync(join(out, 'Sluice.template.json'), 'utf8')) as AppTemplate;
}

interface StackArtifact {
  type: string;
  displayName: string;
  properties: { templateFile: string; stackName?: string };
}

/** The stacks of the last synthesis, by their ids. */
function stacks(): StackArtifact[] {
  const { artifacts } = JSON.parse(readFileSync(join(out, 'manifest.json'), 'utf8')) as { artifacts: Record<string, StackArtifact> };
  const named = Object.entries(artifacts).filter(([, { type }]) => type === 'aws:cloudformation:stack');
  return named.sort(([a], [b]) => b.localeCompare(a)).map(([, artifact]) => artifact);
}

describe.skipIf(!existsSync(join(ROOT, 'examples', 'stack.ts')))('the default app', () => {
  it("passes CDK's own rules and those of AWS Solutions", () => {
    expect(() => synth({ nag: 'on' })).not.toThrow();
  });

  it('outputs what clients and operators need', () => {
    expect(Object.keys(synth({ examples: 'off' }).Outputs)).toEqual(
      expect.arrayContaining(['ApiUrl', 'TableName', 'BucketName', 'BusName', 'OutcomesQueueUrl']),
    );
  });

  it('takes name, architecture, removal and monitoring from its context', () => {
    const { Resources: resources } = synth({
      examples: 'off',
      name: 'orders',
      architecture: 'x86_64',
      removal: 'destroy',
      monitoring: 'off',
    });
    expect(stacks()).toHaveLength(1);
    const functions = Object.values(resources).filter(({ Type }) => Type === 'AWS::Lambda::Function');
    expect(functions[0]?.Properties).toMatchObject({ FunctionName: 'orders-submit', Architectures: ['x86_64'] });
    expect(Object.values(resources).find(({ Type }) => Type === 'AWS::DynamoDB::Table')).toMatchObject({ DeletionPolicy: 'Delete' });
  });

  it('has its dashboard and alarms in another stack, with the topics of its context', { timeout: 120_000 }, () => {
    const pager = 'arn:aws:sns:eu-west-1:123456789012:pager';
    synth({ examples: 'off', criticalTopic: pager });
    const [own, ...others] = stacks();
    expect([own?.properties.stackName, ...others]).toEqual(['sluice-monitoring', expect.objectContaining({ displayName: 'Sluice' })]);
    expect(readFileSync(join(out, own?.properties.templateFile ?? ''), 'utf8')).toContain(pager);
  });

  it('says which values a context key may have', () => {
    expect(() => synth({ architecture: 'arm' })).toThrow(/context architecture: one of arm64, x86_64; given arm/);
  });
});
