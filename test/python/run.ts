import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { readCommandLine } from '../../bin/command-line.ts';
import { ensureVenv, SetupError, type Requirements } from '../deploy/venv.ts';
import { findTarget, tokensOf } from '../e2e/outside.ts';

const USAGE = `Generates a Python client from the OpenAPI document and uses it end to end: on the platform that SLUICE_E2E_TARGET
describes, or on an embedded one. The client is thrown away: what is tested is the document.

  npm run test:python`;

const ROOT = join(import.meta.dirname, '..', '..');
const DOCUMENT = join(ROOT, 'packages', 'contracts', 'openapi.json');
const REQUIREMENTS: Requirements = {
  name: 'openapi-python-client',
  file: join(import.meta.dirname, 'requirements.txt'),
  oldestMinor: 11,
};

async function main(): Promise<number> {
  readCommandLine(USAGE, {});
  const folder = mkdtempSync(join(tmpdir(), 'sluice-python-'));
  try {
    say('preparing the generator');
    const python = await ensureVenv(join(ROOT, '.sluice', 'python'), REQUIREMENTS);
    say('generating the client');
    const warnings = await generate(python, join(folder, 'sluice_client'));
    if (warnings !== '') {
      console.error(`the generator warns:\n${warnings}`);
      return 1;
    }
    say('starting the platform');
    const { deployment, close } = await findTarget();
    try {
      const tokenOf = tokensOf(deployment);
      const tenant = `python-${randomBytes(4).toString('hex')}`;
      const [all, reader] = await Promise.all([tokenOf(tenant, ['admin']), tokenOf(tenant, ['read'])]);
      say(`checking against ${deployment.name}`);
      return await check(python, folder, { SLUICE_URL: deployment.url, SLUICE_TOKEN: all, SLUICE_READER: reader });
    } finally {
      await close();
    }
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.error(error.message);
    return 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @returns what the generator says of parts of the document that it left out; empty when it left out none */
async function generate(python: string, output: string): Promise<string> {
  const bin = dirname(python);
  const args = ['generate', '--path', DOCUMENT, '--output-path', output, '--meta', 'none', '--fail-on-warning'];
  // It formats what it makes with the ruff beside it.
  const env = { ...process.env, PATH: `${bin}${delimiter}${process.env['PATH'] ?? ''}` };
  try {
    const { stdout, stderr } = await promisify(execFile)(join(bin, 'openapi-python-client'), args, { env });
    return /warn|error/i.test(stdout + stderr) ? stdout + stderr : '';
  } catch (error) {
    const { stdout = '', stderr = '', message } = error as Error & { stdout?: string; stderr?: string };
    return (stdout + stderr).trim() || message;
  }
}

/** @returns the exit code */
async function check(python: string, folder: string, env: Readonly<Record<string, string>>): Promise<number> {
  const child = spawn(python, ['-B', join(import.meta.dirname, 'check.py')], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ...env, PYTHONPATH: folder },
  });
  const code = await new Promise<number | null>((resolve, reject) => child.once('error', reject).once('exit', resolve));
  return code ?? 1;
}

function say(what: string): void {
  console.error(`· ${what}`);
}

process.exitCode = await main();
