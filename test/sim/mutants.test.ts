import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { planted, rootOf } from '../../sim/mutants/edit.ts';
import { MUTANTS } from '../../sim/mutants/list.ts';
import { CONFIGS } from '../../sim/explore/configs.ts';

const run = promisify(execFile);

describe('planted bugs', () => {
  it.each(MUTANTS)('$name applies to the code as it is', ({ name, edits, ...by }) => {
    for (const file of new Set(edits.map((edit) => edit.file))) {
      const source = readFileSync(join(rootOf, file), 'utf8');
      const own = edits.filter((edit) => edit.file === file);
      expect(planted(name, source, own)).not.toBe(source);
    }
    expect('seeds' in by || CONFIGS.some((config) => config.name === by.question)).toBe(true);
  });

  it('have names of their own', () => {
    expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length);
  });

  it('of another day are refused', () => {
    const edits = [{ file: 'f.ts', find: 'b', replace: 'c' }];
    expect(() => planted('old', 'a', edits)).toThrow('"b" is 0 times in f.ts');
    expect(() => planted('vague', 'a b b', edits)).toThrow('"b" is 2 times in f.ts');
  });

  it('are found, each by the shortest history', { timeout: 300_000 }, async () => {
    const only = ['relook', 'settle-row-first', 'release-early', 'state'];
    const args = [join(rootOf, 'sim/mutants.ts'), '--json', ...only.flatMap((name) => ['--only', name])];
    const { stdout } = await run(process.execPath, args);
    const said = JSON.parse(stdout) as {
      planted: number;
      found: number;
      mutants: { name: string; found: { check: string; history: string[] } }[];
    };
    expect(said).toMatchObject({ planted: 4, found: 4, missed: [], violationsWithout: [] });
    const checks = Object.fromEntries(said.mutants.map(({ name, found }) => [name, found.check]));
    expect(checks).toEqual({ relook: 'HasHint', 'settle-row-first': 'HasHint', 'release-early': 'Permits', state: 'OneEnd' });
    const relook = said.mutants.find(({ name }) => name === 'relook')?.found.history ?? [];
    expect(relook.at(-1)).toContain('queue.remove');
  });
});
