import { execFile } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** What a person can mend: it is shown without a stack. */
export class SetupError extends Error {}

/** What goes into a virtual environment. */
export interface Requirements {
  readonly name: string;
  /** A pinned `requirements.txt`. */
  readonly file: string;
  /** Of Python 3. */
  readonly oldestMinor: number;
}

export const MINISTACK: Requirements = { name: 'MiniStack', file: join(import.meta.dirname, 'requirements.txt'), oldestMinor: 10 };

/**
 * Makes the virtual environment with what is pinned, unless it is there as the requirements say.
 * @returns its Python
 * @throws SetupError
 */
export async function ensureVenv(folder: string, requirements: Requirements = MINISTACK): Promise<string> {
  const python = join(folder, 'bin', 'python');
  const stamp = join(folder, 'requirements.txt');
  const wanted = readFileSync(requirements.file, 'utf8');
  if (existsSync(python) && existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return python;
  rmSync(folder, { recursive: true, force: true });
  await checkPython(requirements);
  await step(
    ['python3', '-m', 'venv', folder],
    `python3 cannot make a virtual environment: on Debian and Ubuntu, apt-get install python3-venv`,
  );
  const install = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--requirement', requirements.file];
  await step([python, ...install], `pip cannot install ${requirements.file}: it needs pypi.org, or an index in PIP_INDEX_URL`);
  // Last: an environment that was broken off is made anew.
  writeFileSync(stamp, wanted);
  return python;
}

async function checkPython({ name, oldestMinor }: Requirements): Promise<void> {
  const advice = `${name} needs Python 3.${oldestMinor} or newer as python3`;
  const stdout = await step(['python3', '-c', 'import sys; print(*sys.version_info[:2])'], advice);
  const [major = 0, minor = 0] = stdout.split(' ').map(Number);
  if (major !== 3 || minor < oldestMinor) throw new SetupError(`${advice}; this one is ${major}.${minor}`);
}

async function step([command = '', ...args]: readonly string[], advice: string): Promise<string> {
  try {
    return (await run(command, args)).stdout;
  } catch (error) {
    const { stderr = '', stdout = '', message = '' } = error as { stderr?: string; stdout?: string; message?: string };
    throw new SetupError(`${advice}\n\n${(stderr + stdout || message).trim()}`, { cause: error });
  }
}
