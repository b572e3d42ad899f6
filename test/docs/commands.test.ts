import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..', '..');
const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: Record<string, string> };
/** Those that are programs of ours, with what Node is called with. */
const PROGRAMS = Object.entries(scripts).flatMap(([name, line]) =>
  line.startsWith('node ') ? [[name, line.split(' ').slice(1)] as const] : [],
);

async function run(args: readonly string[], option: string) {
  const child = spawn(process.execPath, [...args, option], { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [out, error, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { out, error, code };
}

// A program that begins its work all the same says something of it, on the other stream or beside its usage.
describe.concurrent.each(PROGRAMS)('npm run %s', { timeout: 120_000 }, (name, args) => {
  it('--help prints how it is used, and does nothing', async ({ expect }) => {
    const { out, error, code } = await run(args, '--help');

    expect(out).toContain(`  npm run ${name}`);
    expect(out.trimEnd().split('\n').length).toBeLessThan(40);
    expect({ code, error }).toEqual({ code: 0, error: '' });
  });

  it('refuses an option that it does not have, in one line before how it is used', async ({ expect }) => {
    const { out, error, code } = await run(args, '--no-such-option');

    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(error).toMatch(/^Unknown option '--no-such-option'.*\n\n/);
    expect(error).toContain(`  npm run ${name}`);
  });
});

it('there are such programs', () => {
  expect(PROGRAMS.map(([name]) => name)).toEqual(expect.arrayContaining(['dev', 'demo', 'size', 'sim', 'bench:cost', 'test:python']));
});
