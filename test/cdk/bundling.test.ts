import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Duration, Stack } from 'aws-cdk-lib';
import { Architecture } from 'aws-cdk-lib/aws-lambda';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { nodeFunction } from '../../lib/functions/node-function.ts';
import { startStandIn } from '../contract/servers.ts';
import { makeApp, resourcesOf, ROOT } from './synth.ts';

/** Bundles one function and answers with the folder of its asset. */
function bundle(entry: string, props: { nodeModules?: string[]; architecture: Architecture; slimClients?: boolean }): string {
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
    const asset = bundle(join(ROOT, 'functions', 'registrar', 'index.ts'), { architecture: Architecture.ARM_64 });

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

describe('the bundles of the platform', () => {
  const asset = (name: string) =>
    bundle(join(ROOT, 'functions', name, 'index.ts'), { architecture: Architecture.ARM_64, slimClients: true });
  let authorizer: string;
  beforeAll(() => {
    authorizer = asset('authorizer');
  });
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  it('hold none of the SDK’s clients, nor its ways to log in', () => {
    const submit = asset('submit');
    const { sources } = JSON.parse(readFileSync(join(submit, 'index.mjs.map'), 'utf8')) as { sources: string[] };
    const packages = new Set(
      sources.map((source) => /node_modules\/(@aws-sdk\/[^/]+)/.exec(source)?.[1]).filter((name) => name !== undefined),
    );
    expect([...packages].sort()).toEqual([
      '@aws-sdk/core',
      '@aws-sdk/credential-provider-env',
      '@aws-sdk/credential-provider-http',
      '@aws-sdk/util-dynamodb',
    ]);
    expect(statSync(join(submit, 'index.mjs')).size).toBeLessThanOrEqual(300_000);
  });

  it('refuse to be made of more of the SDK than there is a stand-in for', () => {
    const entry = join(import.meta.dirname, 'fixtures', 'more-sdk.ts');
    expect(() => bundle(entry, { architecture: Architecture.ARM_64, slimClients: true })).toThrow('TransactWriteCommand');
    expect(bundle(entry, { architecture: Architecture.ARM_64 })).toBeTruthy();
  });

  /** The access key that the function signed its call with. Each time its module is a new one. */
  const keyOfCall = async (env: Record<string, string | undefined>): Promise<string | undefined> => {
    const table = await startStandIn(() => ({ status: 200, body: '{}' }));
    try {
      const all = {
        SLUICE_TABLE: 'tasks',
        POWERTOOLS_METRICS_NAMESPACE: 'Sluice',
        AWS_REGION: 'eu-west-1',
        AWS_ENDPOINT_URL_DYNAMODB: table.endpoint,
        ...env,
      };
      for (const [name, value] of Object.entries(all)) vi.stubEnv(name, value);
      const url = `${pathToFileURL(join(authorizer, 'index.mjs')).href}?${table.endpoint}`;
      const { handler } = (await import(/* @vite-ignore */ url)) as { handler: (event: object, context: object) => Promise<object> };
      const token = `Bearer slc_${'a'.repeat(43)}`;
      expect(await handler({ identitySource: [token], headers: {} }, {})).toEqual({ isAuthorized: false });
      return /Credential=([^/]+)/.exec(String(table.heard[0]?.headers['authorization']))?.[1];
    } finally {
      await table.stop();
    }
  };

  it('take their credentials from the environment', async () => {
    expect(await keyOfCall({ AWS_ACCESS_KEY_ID: 'FROMENV', AWS_SECRET_ACCESS_KEY: 's', AWS_SESSION_TOKEN: 't' })).toBe('FROMENV');
  });

  it('take their credentials from the container’s endpoint, where there is one', async () => {
    const body = JSON.stringify({ AccessKeyId: 'FROMCONTAINER', SecretAccessKey: 's', Token: 't', Expiration: '2099-01-01T00:00:00Z' });
    const container = await startStandIn(() => ({ status: 200, body }));
    const key = await keyOfCall({
      AWS_ACCESS_KEY_ID: undefined,
      AWS_SECRET_ACCESS_KEY: undefined,
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `${container.endpoint}/credentials`,
      AWS_CONTAINER_AUTHORIZATION_TOKEN: 'let-me-in',
    });
    await container.stop();
    expect(key).toBe('FROMCONTAINER');
    expect(container.heard).toMatchObject([{ path: '/credentials', headers: { authorization: 'let-me-in' } }]);
  });
});
