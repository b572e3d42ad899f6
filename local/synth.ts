import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { arch } from 'node:process';
import { HostError } from './errors.ts';

export interface SynthOptions {
  /** The folder of the CDK app: where `cdk.json` is. */
  readonly root: string;
  /** Where the cloud assembly goes. */
  readonly out: string;
  /** On top of the context in `cdk.json`. */
  readonly context?: Record<string, string>;
}

/** The context that makes bundles run on this machine, and lets everything go with the stack. */
export function machineContext(): Record<string, string> {
  return { architecture: arch === 'arm64' ? 'arm64' : 'x86_64', removal: 'destroy' };
}

/**
 * The same for the embedded host. A machine of a few cores gets few queues, and few batches of each at once: every execution environment is a process.
 */
export function localContext(): Record<string, string> {
  return { ...machineContext(), shards: '3', maxConcurrency: '2', cors: '*', webhookHosts: 'localhost,127.0.0.1' };
}

/** Synthesises the app, as `cdk synth` does, but without the CLI's start-up. @throws HostError with what the app printed */
export async function synthesise({ root, out, context = {} }: SynthOptions): Promise<void> {
  const config = JSON.parse(await readFile(`${root}/cdk.json`, 'utf8')) as { app: string; context?: Record<string, unknown> };
  const [, ...args] = config.app.split(' ');
  // Templates are checked by `cdk synth` and by the tests; here that would be three quarters of the time.
  const env = {
    ...process.env,
    CDK_VALIDATION: 'false',
    CDK_OUTDIR: out,
    CDK_CONTEXT_JSON: JSON.stringify({ ...config.context, ...context }),
  };
  const child = spawn(process.execPath, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let printed = '';
  child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  const code = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve));
  if (code !== 0) throw new HostError('SYNTH_FAILED', `the app could not be synthesised:\n${printed.trim().slice(-4000)}`);
}
