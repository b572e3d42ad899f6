import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { HINT_TIMES } from '../../core/hints/timing.ts';
import { ROOT, textOf } from './pages.ts';

const PAGE = 'docs/guarantees.md';
const page = textOf(PAGE);
const words = page.replaceAll(/\s+/g, ' ');
const promised = page.split('## What is promised')[1]?.split('\n## ')[0] ?? '';
const promises = [...promised.matchAll(/^\| (?!promise \||---)(.*) \| (.*) \|$/gm)].map(([, promise = '', backing = '']) => ({
  promise,
  backing,
}));

/** The files that the page shows, with the block that follows the mark of each. */
const shown = [...page.matchAll(/<!-- file: (\S+) -->\n\n```ts(?: [^\n]*)?\n([^]*?)```/g)].map(([, file = '', code = '']) => ({
  file,
  code,
}));

describe(PAGE, () => {
  it('has promises', () => {
    expect(promises.length).toBeGreaterThan(10);
  });

  it.each(promises)('$promise', ({ backing }) => {
    const [, file = '', title] = /^`([^`]+)`(?: "(.+)")?$/.exec(backing) ?? [];
    expect(existsSync(join(ROOT, file)), `${file} backs a promise`).toBe(true);
    const code = readFileSync(join(ROOT, file), 'utf8');
    // A title that is written in the file, as the name of a test that is run.
    if (title !== undefined)
      expect(
        titlesIn(code).some((written) => says(written, title)),
        `${file} has a test "${title}"`,
      ).toBe(true);
    else expect(titlesIn(code).length).toBeGreaterThan(0);
  });

  it('shows each example of examples/idempotency as it is', () => {
    expect(shown.map(({ file }) => file)).toEqual(['dynamodb', 's3', 'sql'].map((name) => `examples/idempotency/${name}.ts`));
    for (const { file, code } of shown) expect(code, file).toBe(readFileSync(join(ROOT, file), 'utf8'));
  });

  it('names files that exist', () => {
    for (const [, file = ''] of page.matchAll(/`((?:test|examples)\/[\w./-]+\.ts)`/g))
      expect(existsSync(join(ROOT, file)), file).toBe(true);
  });

  it('says margins as the code has them', () => {
    expect(words).toContain(`a bucket is closed ${HINT_TIMES.bucketMarginMs / 60_000} minutes before its minute`);
    expect(words).toContain(`a hint waits ${HINT_TIMES.orphanMs / 1_000} s for its row`);
  });
});

/** What `it` and `test` are called with, also those that run once for each row of something; skipped ones are none. */
function titlesIn(code: string): string[] {
  const called = [...code.matchAll(/\b(?:it|test)\(\s*(['"`])(.+?)\1,/g)].map(([, , title = '']) => title);
  const each = /\b(?:it|test)\.each\(/.test(code) ? [...code.matchAll(/\]?\)\(\s*(['"`])(.+?)\1,/g)].map(([, , title = '']) => title) : [];
  return [...called, ...each];
}

/** Whether a title as it is written is the one that is told; what is filled in may be anything. */
function says(written: string, told: string): boolean {
  const parts = written.split(/\$\{[^}]*\}/).map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.+')}$`).test(told);
}
