import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Duration, Stack } from 'aws-cdk-lib';
import { Architecture } from 'aws-cdk-lib/aws-lambda';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { describe, expect, it, vi } from 'vitest';
import { nodeFunction } from '../../lib/functions/node-function.ts';
import { makeApp, resourcesOf, ROOT } from './synth.ts';

/** Bundles one function and answers with the folder of its asset. */
function bundle(entry: string, props: { nodeModules?: string[]; architecture: Architecture; projectRoot?: string }): string {
  const app = makeApp({ bundle: true });
  const stack = new Stack(app, 'Bundle');
  nodeFunction(stack, 'Picture', {
    entry,
    timeout: Duration.seconds(10),
    memorySize: 512,
    logRetention: RetentionDays.ONE_DAY,
    ...props,
  });
  const [fn] = resourcesOf(stack, 'AWS::Lambda::Function');
  const { S3Key: key } = fn?.resource.Properties['Code'] as { S3Key: string };
  return join(app.outdir, `asset.${key.replace('.zip', '')}`);
}

describe('the bundle of a function', () => {
  it.each([
    { architecture: Architecture.ARM_64, wanted: 'sharp-linux-arm64' },
    { architecture: Architecture.X86_64, wanted: 'sharp-linux-x64' },
  ])('has the native parts for $architecture.name, whatever machine builds it', ({ architecture, wanted }) => {
    const asset = bundle(join(import.meta.dirname, 'fixtures', 'picture.ts'), { nodeModules: ['sharp'], architecture });

    const native = readdirSync(join(asset, 'node_modules', '@img')).filter((name) => name.startsWith('sharp-'));
    expect(native).toContain(wanted);
    expect(native.filter((name) => !name.includes(wanted.replace('sharp-', '')))).toEqual([]);
    expect(existsSync(join(asset, 'node_modules', 'sharp', 'package.json'))).toBe(true);
  });

  it('is one ES module with its SDK inside, and a source map without the sources', async () => {
    const entry = join(ROOT, 'functions', 'registrar', 'index.ts');
    const asset = bundle(entry, { architecture: Architecture.ARM_64, projectRoot: ROOT });

    expect(readdirSync(asset).sort()).toEqual(['index.mjs', 'index.mjs.map']);
    expect(readFileSync(join(asset, 'index.mjs'), 'utf8')).not.toMatch(/from ?"@(aws-sdk|smithy)/);
    expect(JSON.parse(readFileSync(join(asset, 'index.mjs.map'), 'utf8'))).not.toHaveProperty('sourcesContent');
    vi.stubEnv('SLUICE_TABLE', 'tasks');
    vi.stubEnv('AWS_REGION', 'eu-west-1');
    const loaded = (await import(/* @vite-ignore */ pathToFileURL(join(asset, 'index.mjs')).href)) as { handler: unknown };
    vi.unstubAllEnvs();
    expect(loaded.handler).toBeTypeOf('function');
  });

  it('is its own, beside another entry in the same folder', () => {
    const stack = new Stack(makeApp({ bundle: true }), 'Bundle');
    for (const name of ['text', 'number']) {
      nodeFunction(stack, name, {
        entry: join(import.meta.dirname, 'fixtures', `${name}.ts`),
        timeout: Duration.seconds(10),
        memorySize: 512,
        architecture: Architecture.ARM_64,
        logRetention: RetentionDays.ONE_DAY,
      });
    }
    const keys = resourcesOf(stack, 'AWS::Lambda::Function').map(
      ({ resource }) => (resource.Properties['Code'] as { S3Key: string }).S3Key,
    );
    expect(new Set(keys).size).toBe(2);
  });
});
