import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import Table from 'cli-table3';
import { readCommandLine } from '../bin/command-line.ts';

const USAGE = `Counts lines of source by folder, blank lines and comments left out, and names the largest file and the largest handler.

  npm run size -- [--json]

  --json  prints the numbers as JSON on the last line`;

const { values } = readCommandLine(USAGE, { json: { type: 'boolean' } });
const FOLDERS = ['bin', 'lib', 'functions', 'core', 'adapters', 'packages', 'local', 'examples', 'test', 'bench'];

const files = execFileSync('git', ['ls-files', '-z'], { encoding: 'utf8' })
  .split('\0')
  .filter((file) => /\.(ts|mjs|cjs|py)$/.test(file));
const sized = files.map((file) => ({ file, lines: linesOf(readFileSync(file, 'utf8')) }));
const largest = (of: readonly { file: string; lines: number }[]) =>
  of.reduce((a, b) => (b.lines > a.lines ? b : a), { file: '', lines: 0 });

const folders = FOLDERS.map((folder) => {
  const own = sized.filter(({ file }) => file.startsWith(`${folder}/`));
  return { folder, files: own.length, lines: own.reduce((sum, { lines }) => sum + lines, 0), largest: largest(own) };
});
const table = new Table({
  head: ['folder', 'files', 'lines', 'largest file', ''],
  colAligns: ['left', 'right', 'right', 'left', 'right'],
  style: { head: [], border: [] },
});
for (const row of folders) table.push([row.folder, row.files, row.lines, row.largest.file, row.largest.lines]);
console.log(table.toString());
const largestFile = largest(sized.filter(({ file }) => !file.startsWith('test/')));
const largestHandler = largest(sized.filter(({ file }) => /^functions\/.*\/handler\.ts$/.test(file)));
console.log(`largest file ${largestFile.file} (${largestFile.lines}), largest handler ${largestHandler.file} (${largestHandler.lines})`);
if (values.json) {
  const lines = Object.fromEntries(folders.map((row) => [row.folder, row.lines]));
  console.log(JSON.stringify({ lines, largestFile, largestHandler }));
}

function linesOf(text: string): number {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '').split('\n');
  return code.filter((line) => line.trim() !== '' && !/^\s*(\/\/|#)/.test(line)).length;
}
