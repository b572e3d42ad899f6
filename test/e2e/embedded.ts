import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startHost, type HostLogEntry } from '../../local/host.ts';
import { machineContext, synthesise } from '../../local/synth.ts';
import type { Deployment } from './deployment.ts';

const ROOT = join(import.meta.dirname, '..', '..');

/** Context of the app as it is deployed to a machine of this kind, to be thrown away afterwards. */
export function contextOf({ smtpPort, reportsPort }: Pick<Deployment, 'smtpPort' | 'reportsPort'>): Record<string, string> {
  return { ...machineContext(), smtpUrl: `smtp://127.0.0.1:${smtpPort}`, reportsUrl: `http://127.0.0.1:${reportsPort}/` };
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
    const ports = { smtpPort: await freePort(), reportsPort: await freePort() };
    const assembly = join(folder, 'cdk.out');
    await synthesise({ root: ROOT, out: assembly, context: contextOf(ports) });
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
      ...ports,
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
