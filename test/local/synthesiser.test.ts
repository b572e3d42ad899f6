import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Synthesiser } from '../../local/synth/synthesiser.ts';
import { eventually, temporaryFolder } from './support/harness.ts';
import { ROOT } from './support/dev.ts';

/** An app of two functions whose bundling is noted; `shared` re-exports what `one` uses and has no code of its own. */
const FILES = {
  'cdk.json': JSON.stringify({ app: 'node bin/app.ts', context: { from: 'file' } }),
  'package.json': JSON.stringify({ type: 'module' }),
  'bin/app.ts': `
    import { App, Stack, CfnOutput, AssetHashType, DockerImage } from 'aws-cdk-lib';
    import { Code, Function, Runtime } from 'aws-cdk-lib/aws-lambda';
    import { buildSync } from 'esbuild';
    import { appendFileSync } from 'node:fs';
    import { join } from 'node:path';
    import { NAME } from './name.ts';
    const root = join(import.meta.dirname, '..');
    const app = new App();
    const stack = new Stack(app, NAME);
    new CfnOutput(stack, 'Context', { value: app.node.tryGetContext('from') + ' ' + app.node.tryGetContext('given') });
    for (const name of ['one', 'two']) {
      const entry = join(root, 'functions', name + '.ts');
      const tryBundle = (outputDir) => {
        appendFileSync(join(root, 'bundled.txt'), name + '\\n');
        buildSync({ entryPoints: [entry], outfile: join(outputDir, 'index.mjs'), bundle: true, format: 'esm', logLevel: 'silent' });
        return true;
      };
      const bundling = { image: DockerImage.fromRegistry('none'), environment: { ENTRY: entry }, local: { tryBundle } };
      const code = Code.fromAsset(join(root, 'functions'), { assetHashType: AssetHashType.OUTPUT, bundling });
      new Function(stack, name, { runtime: Runtime.NODEJS_LATEST, handler: 'index.handler', code });
    }`,
  'bin/name.ts': `export const NAME = 'First';`,
  'functions/one.ts': `import { word } from './shared.ts'; export const handler = () => word;`,
  'functions/shared.ts': `export { word } from './word.ts';`,
  'functions/word.ts': `export const word = 'hello';`,
  'functions/other-word.ts': `export const word = 'goodbye';`,
  'functions/two.ts': `export const handler = () => 2;`,
};

let root: string;
let synthesiser: Synthesiser;
let round = 0;

beforeEach(() => {
  root = realpathSync(temporaryFolder());
  for (const folder of ['bin', 'functions']) mkdirSync(join(root, folder));
  for (const [file, text] of Object.entries(FILES)) write(file, text);
  symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'));
  synthesiser = new Synthesiser({ root, context: { given: 'here' }, cacheDirectory: join(root, 'cache') });
});

afterEach(() => synthesiser.close());

function write(file: string, text: string): void {
  writeFileSync(join(root, file), text);
}

/** What was bundled, and the code of all bundles. */
async function synthesise(): Promise<{ bundled: string[]; code: string; template: string }> {
  const log = join(root, 'bundled.txt');
  writeFileSync(log, '');
  const out = join(root, `out.${++round}`);
  await synthesiser.synthesise(out);
  const files = readdirSync(out);
  const code = files.filter((name) => name.startsWith('asset.')).map((name) => readFileSync(join(out, name, 'index.mjs'), 'utf8'));
  const template = files.filter((name) => name.endsWith('.template.json')).join();
  return { bundled: readFileSync(log, 'utf8').trim().split('\n').filter(Boolean), code: code.sort().join('\n'), template };
}

/** Records are written after the answer. */
async function learned(bundles: number): Promise<void> {
  await eventually(
    () => existsSync(join(root, 'cache')) && readdirSync(join(root, 'cache')).filter((name) => name.endsWith('.json')).length === bundles,
  );
}

it('synthesises again and again, and bundles only what has changed', async () => {
  const first = await synthesise();
  expect(first.bundled).toEqual(['one', 'two']);
  const outputs = readFileSync(join(root, `out.${round}`, 'First.template.json'), 'utf8');
  expect(outputs).toContain('file here');
  await learned(2);
  const second = await synthesise();
  expect(second).toEqual({ ...first, bundled: [] });

  write('functions/two.ts', `export const handler = () => 'changed';`);
  const third = await synthesise();
  expect(third.bundled).toEqual(['two']);
  expect(third.code).toContain('changed');
  expect(third.code).toContain('hello');

  // A file of which nothing is in the bundle decides about it all the same.
  write('functions/shared.ts', `export { word } from './other-word.ts';`);
  const fourth = await synthesise();
  expect(fourth.bundled).toContain('one');
  expect(fourth.code).toContain('goodbye');
}, 120_000);

it('bundles everything anew when the app has changed, which says how', async () => {
  await synthesise();
  await learned(2);
  write('bin/name.ts', `export const NAME = 'Second';`);
  const changed = await synthesise();
  expect(changed.bundled).toEqual(['one', 'two']);
  expect(changed.template).toBe('Second.template.json');
}, 120_000);

it('tells what is wrong with an app, and goes on when it is right again', async () => {
  write('bin/name.ts', `export const NAME = (() => { throw new Error('no name today'); })();`);
  await expect(synthesise()).rejects.toMatchObject({ code: 'SYNTH_FAILED', message: expect.stringContaining('no name today') });
  write('bin/name.ts', `process.exit(3);`);
  await expect(synthesise()).rejects.toMatchObject({ code: 'SYNTH_FAILED' });
  write('bin/name.ts', FILES['bin/name.ts']);
  write('functions/one.ts', `export const handler = (`);
  await expect(synthesise()).rejects.toMatchObject({ message: expect.stringMatching(/one\.ts/) });
  write('functions/one.ts', FILES['functions/one.ts']);
  expect((await synthesise()).bundled).toContain('one');
  write('cdk.json', JSON.stringify({ app: 'npx tsx bin/app.ts' }));
  await expect(synthesise()).rejects.toMatchObject({ message: expect.stringContaining('npx tsx bin/app.ts') });
}, 120_000);
