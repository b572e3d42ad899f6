import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '..', '..');

/** The documentation, as paths from the root. */
export const PAGES: readonly string[] = globSync(['README.md', 'docs/*.md', 'packages/*/README.md', 'examples/README.md'], {
  cwd: ROOT,
}).sort();

/** Languages of fenced blocks; any other spelling would escape the tests. No language at all is for what is not code. */
export const LANGUAGES = ['ts', 'sh', 'python', 'json', ''] as const;

/** A fenced block. */
export interface Block {
  readonly page: string;
  /** Of its fence, from 1. */
  readonly line: number;
  readonly lang: string;
  /** What the fence says after the language. For JSON: the name of the contracts' schema that it must fit. */
  readonly info: string;
  /** Why it is not run: the fence says `no-run: <reason>`. */
  readonly noRun: string | undefined;
  readonly code: string;
}

export function textOf(page: string): string {
  return readFileSync(join(ROOT, page), 'utf8');
}

export function blocksOf(page: string): Block[] {
  const blocks: Block[] = [];
  const lines = textOf(page).split('\n');
  for (let n = 0; n < lines.length; n++) {
    const [, indent, lang = '', info = ''] = /^(\s*)```(\S*)\s*(.*?)\s*$/.exec(lines[n] ?? '') ?? [];
    if (indent === undefined) continue;
    const end = lines.findIndex((line, at) => at > n && line.trim() === '```');
    if (end < 0) throw new Error(`${page}:${n + 1}: the block does not end`);
    const code = lines.slice(n + 1, end).map((line) => (line.startsWith(indent) ? line.slice(indent.length) : line));
    const [, noRun] = /^no-run: (.+)$/.exec(info) ?? [];
    blocks.push({ page, line: n + 1, lang, info, noRun, code: `${code.join('\n')}\n` });
    n = end;
  }
  return blocks;
}

/** Where a block is, for messages and titles of tests. */
export function placeOf({ page, line }: Pick<Block, 'page' | 'line'>): string {
  return `${page}:${line}`;
}

/** The blocks of a page by language, in order; of those that are to be run only, where it says so. */
export function blocksIn(page: string, lang: (typeof LANGUAGES)[number], { run = false } = {}): Block[] {
  return blocksOf(page).filter((block) => block.lang === lang && !(run && block.noRun !== undefined));
}
