import { cpSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SluiceClient } from '@sluice/client';
import { afterEach, expect, it } from 'vitest';
import { killDevs, ROOT, startDev } from './support/dev.ts';
import { temporaryFolder } from './support/harness.ts';

afterEach(killDevs);

it('keeps tasks and tokens over a kill and a restart, refuses a second server on its data, and ends cleanly', async () => {
  const data = join(temporaryFolder(), 'data');
  const first = startDev(['--data', data]);
  const url = await first.ready();
  const tokens = first.tokens();
  expect(Object.keys(tokens)).toEqual(['acme', 'globex', 'initech']);
  const submit = tokens['acme']?.submit ?? '';
  const sluice = new SluiceClient({ baseUrl: url, token: submit });
  await sluice.submit({ type: 'clean-text', id: 'hello', payload: { text: '“Hello”  world…' } });
  expect(await sluice.wait('hello', { timeoutSeconds: 60 })).toMatchObject({ state: 'succeeded', result: { text: '"Hello" world...' } });
  await sluice.submit({ type: 'unruly-wait', id: 'later', delaySeconds: 20, payload: { do: 'ok' } });
  await sluice.submit({ type: 'unruly-wait', id: 'next-week', delaySeconds: 7 * 86_400, payload: { do: 'ok' } });

  const other = startDev(['--data', data], { tokensFile: first.tokensFile });
  expect(await other.exited).toBe(1);
  expect(other.printed()).toContain(`Another host has the data folder ${data} open`);
  expect(other.printed()).not.toContain('synthesising');
  first.child.kill('SIGKILL');
  await first.exited;

  // As an earlier version has written it.
  const { globex, ...others } = tokens;
  const { platform: _, ...earlier } = globex ?? { admin: '', submit: '' };
  writeFileSync(first.tokensFile, JSON.stringify({ ...others, globex: earlier }));
  const second = startDev(['--data', data], { tokensFile: first.tokensFile });
  const again = new SluiceClient({ baseUrl: await second.ready(), token: submit });
  expect(second.tokens()).toEqual({ ...others, globex: { ...earlier, platform: expect.stringMatching(/^slc_/) } });
  for (const { platform = '' } of Object.values(second.tokens())) {
    const operator = new SluiceClient({ baseUrl: await second.ready(), token: platform });
    expect(await operator.breakers.list()).toEqual([]);
  }
  // What the examples read is put where it says.
  const [, files = ''] = await second.says(/^files of the examples go to (\S+)$/m);
  expect((await fetch(`${files}/photos/mine.txt`, { method: 'PUT', body: 'mine' })).status).toBe(200);
  expect(await (await fetch(`${files}/photos/mine.txt`)).text()).toBe('mine');
  expect(await again.get('hello')).toMatchObject({ state: 'succeeded' });
  expect(await again.wait('later', { timeoutSeconds: 90 })).toMatchObject({ state: 'succeeded' });
  expect(await again.get('next-week')).toMatchObject({ state: 'waiting' });
  await second.says(/^[\d:.]{12} acme +unruly-wait +later +succeeded$/m);
  // The page is there beside the API, and the API itself as on AWS.
  const page = await fetch(await second.ready());
  expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
  const status = (await (await fetch(`${await second.ready()}/_status`)).json()) as Record<string, unknown>;
  expect(status).toMatchObject({
    version: (JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }).version,
    data,
    tasks: { counted: 3, complete: true, tenants: [{ tenant: 'acme', states: { succeeded: 2, waiting: 1 } }] },
    latest: [{ id: 'next-week' }, { id: 'later', state: 'succeeded' }, { id: 'hello', type: 'clean-text' }],
    problems: [],
  });
  expect(status['types']).toContainEqual(
    expect.objectContaining({
      type: 'unruly-wait',
      start: 'wait',
      handler: expect.objectContaining({ title: 'Examples/Unruly', runs: 1 }),
    }),
  );
  expect(status['functions']).toContainEqual(expect.objectContaining({ title: 'sluice-dispatch', errors: 0 }));
  expect(status['queues']).toContainEqual({ name: 'sluice-outcomes', visible: 0, inFlight: 0, delayed: 0 });
  // A page of another origin may call the API, but does not see the tasks of all tenants.
  const preflight = { method: 'OPTIONS', headers: { origin: 'https://app.example', 'access-control-request-method': 'POST' } };
  expect((await fetch(`${await second.ready()}/v1/tasks`, preflight)).headers.get('access-control-allow-origin')).toBe('*');
  const foreign = await fetch(`${await second.ready()}/_status`, { headers: { origin: 'https://app.example' } });
  expect(foreign.headers.get('access-control-allow-origin')).toBeNull();
  second.child.kill('SIGTERM');
  expect(await second.exited).toBe(0);
}, 600_000);

it('says at once what is wrong with its options, and ends', async () => {
  const taken = createServer();
  const port = await new Promise<number>((resolve) => {
    taken.listen(0, '127.0.0.1', () => {
      const address = taken.address();
      resolve(typeof address === 'object' && address ? address.port : 0);
    });
  });
  try {
    const dev = startDev(['--port', String(port)]);
    expect(await dev.exited).toBe(1);
    expect(dev.printed()).toBe(`Port ${port} is in use: end the process that has it, or choose another port.\n`);
    const nonsense = startDev(['--port', 'http']);
    expect(await nonsense.exited).toBe(2);
    expect(nonsense.printed()).toContain('give a number from 0 to 65535');
  } finally {
    taken.close();
  }
}, 120_000);

it('has a handler that changes on disk run with the next attempt, bundled or not, and tells calls when it is asked to', async () => {
  const copy = realpathSync(mkdtempSync(join(tmpdir(), 'sluice-copy-')));
  try {
    for (const folder of ['bin', 'lib', 'functions', 'core', 'adapters', 'local', 'examples', 'packages']) {
      cpSync(join(ROOT, folder), join(copy, folder), { recursive: true, filter: (path) => !path.includes('node_modules') });
    }
    for (const file of ['package.json', 'package-lock.json', 'tsconfig.json', 'cdk.json']) cpSync(join(ROOT, file), join(copy, file));
    symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
    const dev = startDev(['--verbose'], { root: copy });
    const sluice = new SluiceClient({ baseUrl: await dev.ready(), token: dev.tokens()['acme']?.submit ?? '' });
    const resultOf = async (id: string, type: string, payload: unknown) => {
      await sluice.submit({ type, id, payload });
      return (await sluice.wait(id, { timeoutSeconds: 60 })).result;
    };
    const edit = (file: string, from: string, to: string) => {
      const path = join(copy, file);
      const text = readFileSync(path, 'utf8');
      expect(text).toContain(from);
      writeFileSync(path, text.replace(from, to));
    };
    expect(await resultOf('a', 'unruly', { do: 'ok' })).toMatchObject({ did: 'ok' });
    expect(await resultOf('b', 'clean-text', { text: 'a…' })).toMatchObject({ text: 'a...' });

    edit('examples/unruly/handler.ts', '{ did: behaviour,', '{ did: `${behaviour}, anew`,');
    await dev.says(/^reloaded \S+ in [\d.]+ s$/m);
    expect(await resultOf('c', 'unruly', { do: 'ok' })).toMatchObject({ did: 'ok, anew' });
    edit('examples/clean-text/handler.py', '"..."', '"!!!"');
    await dev.says(/^reloaded \S+ in [\d.]+ s\n[^]*^reloaded \S+ in [\d.]+ s$/m);
    expect(await resultOf('d', 'clean-text', { text: 'a…' })).toMatchObject({ text: 'a!!!' });
    // What cannot be built leaves the last that could.
    edit('examples/unruly/handler.ts', 'export async function handler', 'export async function');
    await dev.says(/^the app could not be synthesised:/m);
    expect(await resultOf('e', 'unruly', { do: 'ok' })).toMatchObject({ did: 'ok, anew' });

    await dev.says(/POST \/v1\/tasks 201 \d+ ms$/m);
    await dev.says(/Examples\/Unruly ran \d+ ms, cold start/);
    dev.child.kill('SIGINT');
    expect(await dev.exited).toBe(0);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}, 600_000);
