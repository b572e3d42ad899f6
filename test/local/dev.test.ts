import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SluiceClient } from '@sluice/client';
import { afterEach, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const running: ChildProcess[] = [];

afterEach(() => {
  for (const child of running.splice(0)) child.kill('SIGKILL');
});

interface Dev {
  readonly child: ChildProcess;
  readonly printed: () => string;
  readonly exited: Promise<number | null>;
}

/** `npm run dev`, without npm. */
function startDev(...args: string[]): Dev {
  const child = spawn(process.execPath, ['bin/dev.ts', ...args], { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  running.push(child);
  let printed = '';
  child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  return { child, printed: () => printed, exited: new Promise((resolve) => child.once('exit', resolve)) };
}

const ready = (dev: Dev) => expect.poll(dev.printed, { timeout: 120_000, interval: 200 }).toMatch(/^ready http:\/\/127\.0\.0\.1:\d+$/m);
const urlOf = (dev: Dev) => /^ready (\S+)$/m.exec(dev.printed())?.[1] ?? '';

it('keeps the platform up, tells the tokens of three tenants, keeps tasks over a restart, and ends cleanly', async () => {
  const data = mkdtempSync(join(tmpdir(), 'sluice-dev-data-'));
  try {
    const first = startDev('--port', '0', '--data', data);
    await ready(first);
    const tokens = JSON.parse(readFileSync(join(ROOT, '.sluice/tokens.json'), 'utf8')) as Record<string, { admin: string; submit: string }>;
    expect(Object.keys(tokens)).toEqual(['acme', 'globex', 'initech']);
    const submit = tokens['acme']?.submit ?? '';
    const sluice = new SluiceClient({ baseUrl: urlOf(first), token: submit });
    await sluice.submit({ type: 'clean-text', id: 'hello', payload: { text: '“Hello”  world…' } });
    expect(await sluice.wait('hello', { timeoutSeconds: 60 })).toMatchObject({ state: 'succeeded', result: { text: '"Hello" world...' } });
    first.child.kill('SIGINT');
    expect(await first.exited).toBe(0);

    const second = startDev('--port', '0', '--data', data);
    await ready(second);
    const again = new SluiceClient({ baseUrl: urlOf(second), token: submit });
    expect(await again.get('hello')).toMatchObject({ state: 'succeeded' });
    second.child.kill('SIGTERM');
    expect(await second.exited).toBe(0);
  } finally {
    rmSync(data, { recursive: true, force: true });
  }
}, 300_000);

it('says what is wrong with its port, and ends', async () => {
  const taken = createServer();
  const port = await new Promise<number>((resolve) => {
    taken.listen(0, '127.0.0.1', () => {
      const address = taken.address();
      resolve(typeof address === 'object' && address ? address.port : 0);
    });
  });
  try {
    const dev = startDev('--port', String(port));
    expect(await dev.exited).toBe(1);
    expect(dev.printed()).toContain(String(port));
    const nonsense = startDev('--port', 'http');
    expect(await nonsense.exited).toBe(2);
    expect(nonsense.printed()).toContain('give a number from 0 to 65535');
  } finally {
    taken.close();
  }
}, 120_000);
