import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { temporaryFolder } from './harness.ts';

export const ROOT = join(import.meta.dirname, '../../..');

export interface Dev {
  readonly child: ChildProcess;
  /** Both outputs as they came. */
  readonly printed: () => string;
  readonly exited: Promise<number | null>;
  /** Resolves to the URL once it is ready. */
  readonly ready: () => Promise<string>;
  /** Resolves once it has printed something that matches. */
  readonly says: (what: RegExp) => Promise<RegExpExecArray>;
  readonly tokensFile: string;
  readonly tokens: () => Record<string, { admin: string; submit: string; platform?: string }>;
}

export interface DevSettings {
  /** Another copy of the project. */
  readonly root?: string;
  readonly tokensFile?: string;
  readonly env?: Record<string, string>;
}

const running: ChildProcess[] = [];

/** `npm run dev`, without npm, on a port of its own and with tokens of its own. */
export function startDev(args: readonly string[], settings: DevSettings = {}): Dev {
  const { root = ROOT, tokensFile = join(temporaryFolder(), 'tokens.json'), env = {} } = settings;
  const port = args.includes('--port') ? [] : ['--port', '0'];
  const child = spawn(process.execPath, ['bin/dev.ts', ...port, '--tokens', tokensFile, ...args], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1', ...env },
  });
  running.push(child);
  let printed = '';
  child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const says = async (what: RegExp): Promise<RegExpExecArray> => {
    await expect.poll(() => printed, { timeout: 180_000, interval: 100 }).toMatch(what);
    return what.exec(printed)!;
  };
  return {
    child,
    printed: () => printed,
    exited,
    says,
    ready: async () => (await says(/^ready (http:\/\/127\.0\.0\.1:\d+)$/m))[1] ?? '',
    tokensFile,
    tokens: () => JSON.parse(readFileSync(tokensFile, 'utf8')) as ReturnType<Dev['tokens']>,
  };
}

/** For `afterEach`: ends what a test has left. */
export function killDevs(): void {
  for (const child of running.splice(0)) child.kill('SIGKILL');
}
