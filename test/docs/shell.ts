import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { blocksIn, placeOf, ROOT, textOf, type Block } from './pages.ts';

const SCRIPTS = (JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: Record<string, string> }).scripts;
/** Of npm itself. */
const NPM_COMMANDS = ['ci', 'install', 'test', 'start', 'pack'];
const FOLDERS = readdirSync(ROOT, { withFileTypes: true }).flatMap((each) => (each.isDirectory() ? [each.name] : []));
/** Where things are that come to be only at run time. */
const MADE = ['.sluice', 'cdk.out', 'dist', 'node_modules'];

/** The `sh` blocks of a page that call a platform: they are run end to end. */
export function callsOf(page: string): Block[] {
  return blocksIn(page, 'sh', { run: true }).filter(({ code }) => code.includes('$SLUICE_URL'));
}

/** What an `sh` block names that does not exist: npm scripts, their flags, context of the app, and files. */
export function shellFaults(block: Block): string[] {
  const faults: string[] = [];
  const fault = (what: string): void => void faults.push(`${placeOf(block)}: ${what}`);
  // A long command goes on after a backslash; what follows a # is for people.
  const lines = block.code.replaceAll('\\\n', ' ').split('\n');
  for (const line of lines.map((text) => text.replace(/(^|\s)#.*$/, ''))) {
    for (const [, command = ''] of line.matchAll(/\bnpm (?!run\b)(\w+)/g)) {
      if (!NPM_COMMANDS.includes(command)) fault(`npm has no command ${command}`);
    }
    for (const [, script = '', rest = ''] of line.matchAll(/\bnpm run ([\w:-]+)([^;&|]*)/g)) {
      if (SCRIPTS[script] === undefined) fault(`there is no script ${script}`);
      else for (const flag of unknownFlags(SCRIPTS[script], rest)) fault(`npm run ${script} has no --${flag}`);
    }
    if (/\bcdk\b/.test(line))
      for (const [, key = ''] of line.matchAll(/-c (\w+)=/g)) if (!isContext(key)) fault(`the app takes no -c ${key}`);
    for (const path of pathsIn(line)) if (!existsSync(join(ROOT, path))) fault(`there is no ${path}`);
  }
  return faults;
}

/** Scripts that a page names in its text. */
export function unknownScripts(page: string): string[] {
  return [...textOf(page).matchAll(/`npm run ([\w:-]+)/g)]
    .map(([, script = '']) => script)
    .filter((script) => SCRIPTS[script] === undefined);
}

/** A program tells its flags in its own text. */
function unknownFlags(script: string, rest: string): string[] {
  const flags = [...rest.matchAll(/\s--([a-z][\w-]*)/g)].map(([, flag = '']) => flag);
  const [, file] = /^node (\S+)/.exec(script) ?? [];
  if (file === undefined) return [];
  const text = readFileSync(join(ROOT, file), 'utf8');
  return flags.filter((flag) => !text.includes(`--${flag}`) && !text.includes(`'${flag}'`));
}

const APP = ['bin/app.ts', 'examples/stack.ts'].map((file) => readFileSync(join(ROOT, file), 'utf8')).join('\n');

function isContext(key: string): boolean {
  return new RegExp(`\\b${key}\\b`).test(APP);
}

/** Words that begin with a folder of ours. */
function pathsIn(line: string): string[] {
  const words = line.split(/[\s"'=()<>]+/).map((word) => word.replace(/^\.\//, ''));
  return words.filter(
    (word) => /^[\w.-]+\//.test(word) && FOLDERS.includes(word.split('/')[0] ?? '') && !MADE.includes(word.split('/')[0] ?? ''),
  );
}
