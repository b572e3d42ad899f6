import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { startHost, type HostLogEntry } from '../../local/host.ts';
import type { Deployment } from './deployment.ts';

const ROOT = join(import.meta.dirname, '..', '..');

/** Context of the app as it is deployed to a machine of this kind, to be thrown away afterwards. */
export function contextOf(smtpPort: number): Readonly<Record<string, string>> {
  const architecture = process.arch === 'arm64' ? 'arm64' : 'x86_64';
  return { architecture, removal: 'destroy', smtpUrl: `smtp://127.0.0.1:${smtpPort}` };
}

/** A port that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('a server without a port');
  return address.port;
}

/** Synthesises the app into a temporary folder and starts the embedded host on it. */
export async function startEmbedded(): Promise<{ deployment: Deployment; close: () => Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-e2e-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    const smtpPort = await freePort();
    const assembly = join(folder, 'cdk.out');
    await synthesise(assembly, contextOf(smtpPort));
    const log: HostLogEntry[] = [];
    const host = await startHost({ assembly, onLog: (entry) => log.push(entry) });
    const { AWS_ACCESS_KEY_ID: accessKeyId = '', AWS_SECRET_ACCESS_KEY: secretAccessKey = '', AWS_REGION: region = '' } = host.clientEnv();
    const deployment: Deployment = {
      name: 'embedded',
      url: host.url,
      outputs: { ...host.outputs },
      region,
      credentials: { accessKeyId, secretAccessKey },
      endpoints: host.endpoints,
      smtpPort,
      skip: {},
    };
    const close = async (): Promise<void> => {
      await host.close();
      keepLog(log);
      remove();
    };
    return { deployment, close };
  } catch (error) {
    remove();
    throw error;
  }
}

/** For a look at what the functions said, when `SLUICE_E2E_LOG` names a file. */
function keepLog(log: readonly HostLogEntry[]): void {
  const file = process.env['SLUICE_E2E_LOG'];
  if (file !== undefined) writeFileSync(file, log.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
}

async function synthesise(output: string, context: Readonly<Record<string, string>>): Promise<void> {
  const bin = join(ROOT, 'node_modules', '.bin');
  const settings = Object.entries(context).flatMap(([key, value]) => ['--context', `${key}=${value}`]);
  const environment = { ...process.env, PATH: `${bin}${delimiter}${process.env['PATH'] ?? ''}` };
  await promisify(execFile)(join(bin, 'cdk'), ['synth', '--quiet', '--output', output, ...settings], {
    cwd: ROOT,
    env: environment,
    maxBuffer: 16 * 1024 * 1024,
  });
}
