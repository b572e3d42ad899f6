import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { SluiceClient } from '@sluice/client';
import { Duration } from 'aws-cdk-lib';
import { afterEach, describe, expect, it } from 'vitest';
import { allowLongPauses, debugOptions } from '../../bin/dev/debugging.ts';
import { checkPort } from '../../local/servers/listen.ts';
import { killDevs, ROOT, startDev } from './support/dev.ts';
import { closeAll, inlineFunction, run, synthesise, temporaryFolder, using } from './support/harness.ts';
import { decodeMappings, Inspector } from './support/inspector.ts';

afterEach(async () => {
  killDevs();
  await closeAll();
});

const HANDLER = join(ROOT, 'examples/unruly/handler.ts');
/** Longer than the time-out of the example, which is 3 seconds. */
const PAUSE_MS = 4000;

interface Script {
  scriptId: string;
  url: string;
  sourceMapURL?: string;
}
interface Paused {
  hitBreakpoints: string[];
  callFrames: { location: { scriptId: string; lineNumber: number; columnNumber: number } }[];
}

it('stops at a breakpoint in the TypeScript file of a handler, longer than its time-out, and goes on', async () => {
  const dev = startDev(['--inspect']);
  const sluice = new SluiceClient({ baseUrl: await dev.ready(), token: dev.tokens()['acme']?.submit ?? '' });
  await sluice.submit({ type: 'unruly', id: 'first', payload: { do: 'ok' } });
  await sluice.wait('first', { timeoutSeconds: 60 });
  const [, address = ''] = await dev.says(/ Examples\/Unruly +inspector at (ws:\S+)$/m);
  // One line a handler environment, none of the platform's functions, and none of Node's own.
  expect(dev.printed().match(/inspector at/g)).toHaveLength(1);
  expect(dev.printed()).not.toMatch(/Debugger listening|For help/);

  const inspector = using(await Inspector.connect(address));
  await inspector.send('Runtime.enable');
  await inspector.send('Debugger.enable');
  const script = await inspector.event<Script>('Debugger.scriptParsed', ({ url }) => url.endsWith('/index.mjs'));
  const mapUrl = new URL(script.sourceMapURL ?? '', script.url);
  const map = JSON.parse(readFileSync(fileURLToPath(mapUrl), 'utf8')) as { sources: string[]; mappings: string };
  const sources = map.sources.map((source) => new URL(source, mapUrl));
  expect(sources.filter((source) => !existsSync(fileURLToPath(source)))).toEqual([]);
  const source = sources.findIndex(({ href }) => href === pathToFileURL(HANDLER).href);
  const sourceLine = readFileSync(HANDLER, 'utf8')
    .split('\n')
    .findIndex((line) => line.includes('await sleep(ms)'));
  const mappings = decodeMappings(map.mappings);
  const place = mappings.find((mapping) => mapping.source === source && mapping.sourceLine === sourceLine);
  const { breakpointId } = await inspector.send<{ breakpointId: string }>('Debugger.setBreakpointByUrl', {
    url: script.url,
    lineNumber: place?.line,
    columnNumber: place?.column,
  });

  await sluice.submit({ type: 'unruly', id: 'second', payload: { do: 'slow', ms: 1 } });
  const { hitBreakpoints, callFrames } = await inspector.event<Paused>('Debugger.paused');
  expect(hitBreakpoints).toEqual([breakpointId]);
  const { lineNumber, columnNumber } = callFrames[0]!.location;
  const origin = mappings.findLast(({ line, column }) => line === lineNumber && column <= columnNumber);
  expect(origin).toMatchObject({ source, sourceLine });
  await sleep(PAUSE_MS);
  expect(await sluice.get('second')).toMatchObject({ state: 'running' });
  await inspector.send('Debugger.resume');
  expect(await sluice.wait('second', { timeoutSeconds: 60 })).toMatchObject({ state: 'succeeded', attempts: 1, lost: 0 });
}, 600_000);

describe('a debugger', () => {
  const TELL = `exports.handler = async (event, context) => {
    await new Promise((resolve) => setTimeout(resolve, event.ms ?? 0));
    const { NODE_OPTIONS: options, VSCODE_INSPECTOR_OPTIONS: terminal } = process.env;
    return { options, terminal, loaded: globalThis.loaded, left: context.getRemainingTimeInMillis() > 60_000 };
  }`;

  it('of a terminal is loaded into handlers, before what they have of their own, and no time-out ends them', async () => {
    const folder = temporaryFolder();
    const bootloader = join(folder, 'bootloader.cjs');
    writeFileSync(bootloader, 'globalThis.loaded = process.env.AWS_LAMBDA_FUNCTION_NAME;');
    const env = { NODE_OPTIONS: `--require ${bootloader}`, VSCODE_INSPECTOR_OPTIONS: '{"inspectorIpc":"x"}', OTHER: 'no' };
    const host = await run(
      synthesise((stack) => {
        const environment = { NODE_OPTIONS: '--enable-source-maps' };
        inlineFunction(stack, 'work', TELL, { environment, timeout: Duration.seconds(1) });
        inlineFunction(stack, 'sluice-dispatch', TELL, { timeout: Duration.seconds(1) });
      }),
      { debug: debugOptions(undefined, env, (name) => name.startsWith('sluice-'))! },
    );
    const payloadOf = async (name: string) => {
      const outcome = await host.invoke(name, { ms: 1500 });
      return outcome.kind === 'completed' ? (JSON.parse(outcome.payload) as unknown) : outcome;
    };
    expect(await payloadOf('work')).toEqual({
      options: `--require ${bootloader} --enable-source-maps`,
      terminal: env.VSCODE_INSPECTOR_OPTIONS,
      loaded: 'work',
      left: true,
    });
    expect(await payloadOf('sluice-dispatch')).toEqual({ left: true });
    expect(host.functions().flatMap(({ inspectors }) => inspectors)).toEqual([]);
  }, 120_000);

  it('gets an inspector in each environment, on a port that its successor has again', async () => {
    const build = (answer: number) => synthesise((stack) => void inlineFunction(stack, 'work', `${TELL} // ${answer}`));
    const host = await run(build(1), { debug: { functions: () => true, firstPort: 9300 } });
    await Promise.all([host.invoke('work', { ms: 1500 }), host.invoke('work', { ms: 1500 })]);
    const ports = () => host.functions().flatMap(({ inspectors }) => inspectors.map((url) => Number(new URL(url).port)));
    const first = ports();
    expect(first).toHaveLength(2);
    expect(new Set(first).size).toBe(2);
    await host.reload(build(2));
    // The others have ended, by what the system says; the host hears of it a moment later.
    for (const port of first)
      await expect
        .poll(() =>
          checkPort(port).then(
            () => true,
            () => false,
          ),
        )
        .toBe(true);
    await sleep(200);
    await host.invoke('work', {});
    expect(first).toContain(ports()[0]);
  }, 120_000);

  it('is wanted by an option or in a debug terminal only, and enters the platform’s functions only when asked to', () => {
    const isPlatform = (name: string) => name === 'sluice-api';
    expect(debugOptions(undefined, { NODE_OPTIONS: '--no-warnings' }, isPlatform)).toBeUndefined();
    const handlers = debugOptions('handlers', { NODE_OPTIONS: '--no-warnings' }, isPlatform);
    expect(handlers).toMatchObject({ inspector: true, environment: {} });
    expect(['sluice-api', 'work'].map((name) => handlers?.functions(name))).toEqual([false, true]);
    expect(debugOptions('platform', {}, isPlatform)?.functions('sluice-api')).toBe(true);
  });

  it('has task types wait for their handlers as long as may be', () => {
    const folder = temporaryFolder();
    const spec = ['{"v":1,"type":"t","handler":{"arn":"', { Ref: 'Alias' }, '"},"start":"wait","timeoutSeconds":3,"concurrency":3}'];
    const other = { Type: 'AWS::Lambda::Function', Properties: { Timeout: 3 } };
    const template = { Resources: { T: { Type: 'Custom::SluiceTaskType', Properties: { Spec: { 'Fn::Join': ['', spec] } } }, other } };
    writeFileSync(join(folder, 'S.template.json'), JSON.stringify(template));
    allowLongPauses(folder);
    const { Resources } = JSON.parse(readFileSync(join(folder, 'S.template.json'), 'utf8')) as typeof template;
    expect(Resources.other).toEqual(other);
    expect(Resources.T.Properties.Spec['Fn::Join'][1]).toEqual([
      spec[0],
      { Ref: 'Alias' },
      '"},"start":"event","timeoutSeconds":900,"concurrency":3}',
    ]);
  });
});
