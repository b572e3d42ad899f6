import { spawn } from 'node:child_process';
import { openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ACCOUNT, pathWithNode, REGION, type MiniStack } from './ministack.ts';
import { SetupError } from './venv.ts';

const ROOT = join(import.meta.dirname, '..', '..');

/** The platform's own stack. The other one has alarms on expressions of metrics, which MiniStack refuses template and all. */
const STACK = ['Sluice', '--exclusively'];

/** The stock CDK CLI with the app of this repository. */
export interface Cdk {
  readonly bootstrap: () => Promise<void>;
  /** @returns the outputs of all stacks */
  readonly deploy: () => Promise<Record<string, string>>;
  readonly destroy: () => Promise<void>;
}

export function cdkFor(ministack: MiniStack, folder: string, context: Readonly<Record<string, string>>, signal: AbortSignal): Cdk {
  const settings = Object.entries(context).flatMap(([key, value]) => ['--context', `${key}=${value}`]);
  const assembly = join(folder, 'cdk.out');
  const outputs = join(folder, 'outputs.json');
  const cdk = (name: string, ...args: string[]) =>
    command(ministack, join(folder, `cdk-${name}.log`), [name, ...args, '--no-notices'], signal);
  return {
    bootstrap: () => cdk('bootstrap', `aws://${ACCOUNT}/${REGION}`),
    deploy: async () => {
      await cdk('deploy', ...STACK, '--require-approval', 'never', '--outputs-file', outputs, '--output', assembly, ...settings);
      const stacks = JSON.parse(readFileSync(outputs, 'utf8')) as Record<string, Record<string, string>>;
      return Object.assign({}, ...Object.values(stacks)) as Record<string, string>;
    },
    destroy: () => cdk('destroy', ...STACK, '--force', '--app', assembly),
  };
}

async function command(ministack: MiniStack, log: string, args: readonly string[], signal: AbortSignal): Promise<void> {
  const output = openSync(log, 'w');
  const environment = { ...process.env, ...ministack.clientEnv, PATH: pathWithNode(), CI: 'true' };
  const child = spawn(join(ROOT, 'node_modules', '.bin', 'cdk'), args, {
    cwd: ROOT,
    stdio: ['ignore', output, output],
    env: environment,
    signal,
  });
  const code = await new Promise<number | null>((resolve, reject) => child.once('error', reject).once('exit', resolve));
  if (code !== 0) {
    const said = (file: string): string => readFileSync(file, 'utf8').slice(-4_000);
    throw new SetupError(`cdk ${args[0]} ended with ${code}\n\n${said(log)}\n\nMiniStack's log ends with\n\n${said(ministack.log)}`);
  }
}
