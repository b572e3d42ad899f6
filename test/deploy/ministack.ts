import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { existsSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { delimiter, join } from 'node:path';
import { freePort } from '../e2e/embedded.ts';
import { SetupError } from './venv.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const START_SECONDS = 60;

/** MiniStack's root keys, which every call of ours is signed with; the functions get those of their roles. */
export const CREDENTIALS = { accessKeyId: 'test', secretAccessKey: 'test' } as const;
export const REGION = 'us-east-1';
export const ACCOUNT = '000000000000';

export interface MiniStack {
  readonly endpoint: string;
  /** Its log: requests' faults, what functions print, and a line for each call that IAM refused. */
  readonly log: string;
  /** By which the CDK CLI and Node reach it and trust its certificate. */
  readonly clientEnv: Readonly<Record<string, string>>;
  readonly stop: () => Promise<void>;
}

/** Starts MiniStack through our launcher, with TLS and with IAM enforced, all of its files in a folder. */
export async function startMiniStack(python: string, folder: string): Promise<MiniStack> {
  const port = await freePort();
  const endpoint = `https://localhost:${port}`;
  const { certificate, key, authorities } = makeCertificate(folder);
  const log = join(folder, 'ministack.log');
  const output = openSync(log, 'w');
  const child = spawn(python, [join(import.meta.dirname, 'ministack_launcher.py')], {
    cwd: folder,
    // A process group of its own, with the functions' processes in it.
    detached: true,
    stdio: ['ignore', output, output],
    env: {
      PATH: pathWithNode(),
      HOME: folder,
      TMPDIR: folder,
      LANG: 'C.UTF-8',
      AUTH: 'true',
      USE_SSL: '1',
      MINISTACK_SSL_CERT: certificate,
      MINISTACK_SSL_KEY: key,
      // The functions', by inheritance.
      NODE_EXTRA_CA_CERTS: authorities,
      AWS_CA_BUNDLE: authorities,
      BIND_HOST: '127.0.0.1',
      GATEWAY_PORT: String(port),
      IOT_MTLS_ENABLED: '0',
      SFTP_ENABLED: '0',
    },
  });
  const stop = async (): Promise<void> => kill(child);
  try {
    await ready(child, port, certificate);
  } catch (error) {
    await stop();
    throw new SetupError(`MiniStack did not start\n\n${readFileSync(log, 'utf8').slice(-2_000)}`, { cause: error });
  }
  return { endpoint, log, stop, clientEnv: clientEnvironment(endpoint, authorities) };
}

export function pathWithNode(): string {
  return `${join(ROOT, 'node_modules', '.bin')}${delimiter}${process.env['PATH'] ?? ''}`;
}

function clientEnvironment(endpoint: string, authorities: string): Record<string, string> {
  return {
    AWS_ENDPOINT_URL: endpoint,
    AWS_REGION: REGION,
    AWS_DEFAULT_REGION: REGION,
    AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CA_BUNDLE: authorities,
    NODE_EXTRA_CA_CERTS: authorities,
  };
}

/** A certificate for this run, and a bundle of it with the authorities that this machine's Node trusts beside its own. */
function makeCertificate(folder: string): { certificate: string; key: string; authorities: string } {
  const certificate = join(folder, 'certificate.pem');
  const key = join(folder, 'key.pem');
  const names = 'DNS:localhost,DNS:*.execute-api.localhost,IP:127.0.0.1';
  const args = [
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-days',
    '2',
    '-subj',
    '/CN=MiniStack',
    '-keyout',
    key,
    '-out',
    certificate,
  ];
  const extensions = ['basicConstraints=critical,CA:FALSE', 'extendedKeyUsage=serverAuth', `subjectAltName=${names}`];
  try {
    execFileSync('openssl', [...args, ...extensions.flatMap((extension) => ['-addext', extension])], { stdio: 'pipe' });
  } catch (error) {
    throw new SetupError('openssl cannot make a certificate: is it installed?', { cause: error });
  }
  const others = process.env['NODE_EXTRA_CA_CERTS'];
  const bundle = others !== undefined && existsSync(others) ? readFileSync(others, 'utf8') : '';
  const authorities = join(folder, 'authorities.pem');
  writeFileSync(authorities, `${bundle}\n${readFileSync(certificate, 'utf8')}`);
  return { certificate, key, authorities };
}

async function ready(child: ChildProcess, port: number, certificate: string): Promise<void> {
  const ca = readFileSync(certificate);
  for (const deadline = Date.now() + START_SECONDS * 1_000; Date.now() < deadline;) {
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`);
    if (await answers(port, ca)) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`no answer within ${START_SECONDS} s`);
}

function answers(port: number, ca: Buffer): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = request({ host: 'localhost', port, path: '/_ministack/health', ca }, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    });
    asked.on('error', () => resolve(false)).end();
  });
}

/** It lingers on SIGTERM, and what it holds is in memory: nothing is lost. */
async function kill(child: ChildProcess): Promise<void> {
  const { pid } = child;
  if (pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  process.kill(-pid, 'SIGKILL');
  await ended;
}
