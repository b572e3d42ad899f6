import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { publint } from 'publint';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApiServer } from '../unit/client/api-server.ts';
import { fakePlatform } from '../unit/client/fake-platform.ts';

const require = createRequire(import.meta.url);
const ROOT = join(import.meta.dirname, '../..');
const BIN = join(ROOT, 'node_modules/.bin');
/** The program of `@arethetypeswrong/cli`. */
const attw = join(dirname(require.resolve('@arethetypeswrong/cli/package.json')), 'dist/index.js');
const NAMES = ['contracts', 'client', 'handler'] as const;

/** A program for a browser, which is compiled without a type of Node; here there are none of a browser. */
const PAGE = `import { ApiError, SluiceClient, ThrottledError, type SluiceClientOptions } from '@sluice/client';
import { PRIORITIES, type Priority } from '@sluice/contracts';

const options: SluiceClientOptions = { baseUrl: location.origin, token: () => sessionStorage.getItem('token') ?? '', fetch: window.fetch };

export const sluice = new SluiceClient(options);
export const priorities: readonly Priority[] = PRIORITIES;

export async function titleOf(id: string): Promise<string> {
  const { state, labels } = await sluice.get(id, { signal: AbortSignal.timeout(1_000) });
  return \`\${labels['title']} is \${state}\`;
}

// @ts-expect-error the options have a type
export const wrong = new SluiceClient({ baseUrl: 1, token: '' });

export function waitOf(error: unknown): number | undefined {
  return error instanceof ThrottledError || error instanceof ApiError ? error.retryAfterSeconds : undefined;
}
`;

const folder = mkdtempSync(join(tmpdir(), 'sluice-packages-'));
/** Where the compiler finds what the packages depend on. */
const built = join(ROOT, 'dist', basename(folder));
const consumer = join(folder, 'consumer');
const tarballOf = (name: string) => join(folder, `sluice-${name}-${version}.tgz`);
const { version } = JSON.parse(readFileSync(join(ROOT, 'packages/client/package.json'), 'utf8')) as { version: string };

/** Without what npm tells the scripts that it runs, which would change what npm does in another folder. */
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.toLowerCase().startsWith('npm_')));

/** @throws with all that the program has printed */
async function run(cwd: string, program: string, args: readonly string[], more: Record<string, string> = {}): Promise<string> {
  try {
    return (await promisify(execFile)(program, args, { cwd, env: { ...env, ...more }, maxBuffer: 10e6 })).stdout;
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${program} ${args.join(' ')}:\n${stdout}\n${stderr}`, { cause: error });
  }
}

beforeAll(async () => {
  await run(ROOT, process.execPath, ['bin/build.ts', '--out', built]);
  await run(folder, 'npm', ['pack', '--pack-destination', folder, ...NAMES.map((name) => join(built, name))]);
  cpSync(join(import.meta.dirname, 'fixtures'), consumer, { recursive: true });
  writeFileSync(join(consumer, 'page.ts'), PAGE);
  writeFileSync(join(consumer, 'package.json'), JSON.stringify({ name: 'consumer', private: true, type: 'module' }));
  const quiet = ['--no-audit', '--no-fund', '--ignore-scripts', '--prefer-offline'];
  await run(consumer, 'npm', ['install', ...quiet, ...NAMES.map(tarballOf)]);
}, 300_000);
afterAll(() => {
  for (const made of [folder, built]) rmSync(made, { recursive: true, force: true });
});

describe.each(NAMES)('@sluice/%s as it is published', (name) => {
  it('has nothing that publint or attw object to', async () => {
    const tarball = readFileSync(tarballOf(name));
    const { messages } = await publint({
      pack: { tarball: tarball.buffer.slice(tarball.byteOffset, tarball.byteOffset + tarball.length) },
    });
    expect(messages).toEqual([]);
    // It fails by its exit code. A `require` of a module is no matter: Node 20.19 does it.
    await run(folder, process.execPath, [attw, tarballOf(name), '--no-definitely-typed', '--ignore-rules', 'cjs-resolves-to-esm']);
  });

  it('brings its documentation, its licence, and the source that its maps lead to', () => {
    const installed = join(consumer, 'node_modules/@sluice', name);
    expect(readdirSync(installed)).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'dist', 'package.json', 'src']));
    const maps = readdirSync(join(installed, 'dist')).filter((file) => file.endsWith('.map'));
    expect(maps.length).toBeGreaterThan(10);
    for (const file of maps) {
      const { sourceRoot, sources } = JSON.parse(readFileSync(join(installed, 'dist', file), 'utf8')) as {
        sourceRoot: string;
        sources: [string];
      };
      expect(readFileSync(join(installed, 'dist', sourceRoot, sources[0]), 'utf8')).not.toBe('');
    }
  });

  it('says what it needs, and that it has no side effects', () => {
    const manifest = JSON.parse(readFileSync(join(consumer, 'node_modules/@sluice', name, 'package.json'), 'utf8')) as Record<
      string,
      unknown
    >;
    expect(manifest).toMatchObject({ type: 'module', sideEffects: false, license: 'Apache-2.0', engines: { node: '>=20.19' }, version });
    expect(manifest).not.toHaveProperty('private');
    expect(manifest['dependencies']).toMatchObject({ zod: expect.stringMatching(/^\^4\./) as string });
  });
});

it('has the same zod as a program that brings its own', () => {
  const lock = JSON.parse(readFileSync(join(consumer, 'package-lock.json'), 'utf8')) as { packages: Record<string, unknown> };
  const packages = Object.keys(lock.packages).map((path) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length));
  expect(packages.filter((one) => one !== '').sort()).toEqual(['@sluice/client', '@sluice/contracts', '@sluice/handler', 'ulid', 'zod']);
});

it('keeps its documentation in its types', () => {
  const types = (file: string) => readFileSync(join(consumer, 'node_modules/@sluice/client/dist', file), 'utf8');
  expect(types('options.d.ts')).toContain('@default 35_000');
  expect(types('client.d.ts')).toContain('@throws ApiError `id_conflict` when the id is taken');
  expect(types('client.d.ts')).toContain('@example');
});

describe('a program that has installed them', () => {
  const check = async (file: string, options: object): Promise<void> => {
    const config = join(consumer, `tsconfig.${file}.json`);
    const strict = { strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, skipLibCheck: false };
    writeFileSync(config, JSON.stringify({ compilerOptions: { target: 'es2022', ...strict, ...options }, files: [`${file}.ts`] }));
    await run(consumer, join(BIN, 'tsc'), ['-p', config]);
  };
  const typeRoots = [join(dirname(BIN), '@types')];

  it('compiles for Node, and runs', async () => {
    await check('consumer', { module: 'nodenext', lib: ['es2023'], typeRoots, types: ['node'] });
    const server = await startApiServer();
    server.reply(fakePlatform());
    try {
      const printed = await run(consumer, process.execPath, ['consumer.js'], { SLUICE_URL: server.baseUrl });
      expect(JSON.parse(printed)).toEqual({
        name: 'Ada',
        accepted: 1_001,
        listed: 1_003,
        code: 'not_found',
        event: 'late_success',
        greeting: 'greet Ada',
        most: 500,
      });
      expect(server.received[0]?.url).toBe('/v1/tasks/batch');
    } finally {
      await server.close();
    }
  }, 120_000);

  it('may be CommonJS', async () => {
    const script = `console.log(typeof require('@sluice/client').SluiceClient, typeof require('@sluice/handler').defineTask)`;
    expect(await run(consumer, process.execPath, ['--input-type=commonjs', '-e', script])).toBe('function function\n');
  });

  it('compiles for a bundler and a browser', async () => {
    await check('page', { module: 'esnext', moduleResolution: 'bundler', lib: ['es2022', 'dom'], types: [], noEmit: true });
  }, 120_000);
});
