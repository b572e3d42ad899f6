import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { controlsOf } from '../../sim/mutants/controls.ts';
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

  it('have a control: the random runs that found them, those with the same in common at once', () => {
    const bug = { name: 'b', why: '', edits: [] };
    const rated = { rates: true };
    const controls = controlsOf([
      { mutant: { ...bug, seeds: 60 }, found: { seed: 7 } },
      { mutant: { ...bug, seeds: 60, profile: rated }, found: { seed: 1 } },
      { mutant: { ...bug, seeds: 20 }, found: { seed: 2 } },
      { mutant: { ...bug, seeds: 20 }, found: undefined },
      { mutant: { ...bug, question: 'event' }, found: {} },
    ]);
    expect(controls).toEqual([
      { runs: { profile: {}, without: [] }, seeds: [2, 7] },
      { runs: { profile: rated, without: [] }, seeds: [1] },
    ]);
  });

  it('are found, each by the shortest history', { timeout: 300_000 }, async () => {
    const only = ['relook', 'settle-row-first', 'release-early', 'state', 'failed-uncounted'];
    const args = [join(rootOf, 'sim/mutants.ts'), '--json', ...only.flatMap((name) => ['--only', name])];
    const { stdout } = await run(process.execPath, args);
    const said = JSON.parse(stdout) as {
      planted: number;
      found: number;
      controls: number;
      mutants: { name: string; found: { check: string; history: string[] } }[];
    };
    expect(said).toMatchObject({ planted: 5, found: 5, missed: [], controls: 3, violationsWithout: [] });
    const checks = Object.fromEntries(said.mutants.map(({ name, found }) => [name, found.check]));
    expect(checks).toEqual({
      ...{ relook: 'HasHint', 'settle-row-first': 'HasHint', 'release-early': 'Permits', state: 'OneEnd' },
      'failed-uncounted': 'silence',
    });
    const relook = said.mutants.find(({ name }) => name === 'relook')?.found.history ?? [];
    expect(relook.at(-1)).toContain('queue.remove');
  });
});
