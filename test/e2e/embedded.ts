import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startHost, type HostLogEntry } from '../../local/host.ts';
import { machineContext, synthesise } from '../../local/synth.ts';
import { makeCertificate } from '../helpers/certificate.ts';
import type { Deployment } from './deployment.ts';

const ROOT = join(import.meta.dirname, '..', '..');

/** What the suite brings of its own: ports for the servers that handlers call, and a certificate for the receivers of webhooks. */
export interface Outside extends Pick<Deployment, 'smtpPort' | 'reportsPort' | 'certificate'> {
  /** The file of the certificate. */
  readonly certificateFile: string;
}

export async function makeOutside(folder: string): Promise<Outside> {
  const certificate = makeCertificate(['127.0.0.1']);
  const certificateFile = join(folder, 'receivers.pem');
  writeFileSync(certificateFile, certificate.cert);
  return { smtpPort: await freePort(), reportsPort: await freePort(), certificate, certificateFile };
}

/** Context of the app as it is deployed to a machine of this kind, to be thrown away afterwards. */
export function contextOf({ smtpPort, reportsPort, certificateFile }: Outside): Record<string, string> {
  const servers = { smtpUrl: `smtp://127.0.0.1:${smtpPort}`, reportsUrl: `http://127.0.0.1:${reportsPort}/` };
  return { ...machineContext(), ...servers, webhookHosts: '127.0.0.1', webhookCa: certificateFile };
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
    const outside = await makeOutside(folder);
    const assembly = join(folder, 'cdk.out');
    await synthesise({ root: ROOT, out: assembly, context: contextOf(outside) });
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
      smtpPort: outside.smtpPort,
      reportsPort: outside.reportsPort,
      certificate: outside.certificate,
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
