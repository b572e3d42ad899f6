import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { MUTANTS } from '../../sim/mutants/list.ts';

const root = join(import.meta.dirname, '../..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const spec = read('docs/spec/Sluice.tla');
const map = read('docs/spec/map.md');
const rowsOf = (heading: string) => {
  const section = map.split(`## ${heading}`)[1]?.split('\n## ')[0] ?? '';
  return [...section.matchAll(/^\| `(\w+)` \|(.*)\|$/gm)].map(([, name = '', rest = '']) => ({ name, rest }));
};

/** The actions that a formula of the specification is made of, through the names that stand for several. */
function actionsOf(name: string): Set<string> {
  const body = new RegExp(`^${name}(?:\\([^)]*\\))? == ([\\s\\S]*?)\\n(?=\\S+(?:\\([^)]*\\))? ==|\\n|-)`, 'm').exec(spec)?.[1] ?? '';
  const used = [...body.matchAll(/\b([A-Z]\w*)(?=\(| \\\/|\)|$)/gm)].map(([, used = '']) => used);
  const groups = ['Progress', 'Fault', 'Step', 'World', 'Submit'];
  return new Set(
    used.flatMap((each) => (groups.includes(each) ? [...actionsOf(each)] : new RegExp(`^${each}\\(`, 'm').test(spec) ? [each] : [])),
  );
}

describe('the map of the specification', () => {
  const actions = rowsOf('Actions');
  const rules = rowsOf('Rules');

  it('has every action of Next', () => {
    const next = actionsOf('Next');
    expect(next.size).toBeGreaterThan(30);
    expect(actions.map(({ name }) => name).sort()).toEqual([...next].sort());
  });

  it('has every rule, and for each the bug that takes it out', () => {
    const all = /^All == \{([^}]*)\}/m.exec(spec)?.[1] ?? '';
    const names = [...all.matchAll(/"(\w+)"/g)].map(([, name]) => name);
    expect(names).toHaveLength(22);
    expect(rules.map(({ name }) => name).sort()).toEqual(names.sort());
    for (const { name, rest } of rules) {
      const planted = /`([\w-]+)` $/.exec(rest)?.[1];
      expect(MUTANTS.find((mutant) => mutant.name === planted)?.rule, planted).toBe(name);
    }
  });

  it.each([...actions, ...rules])('$name names functions that are in their files', ({ rest }) => {
    const places = [...rest.matchAll(/((?:`\w+`(?:, )?)+) in ([\w/.-]+\.ts)/g)];
    expect(places.length).toBeGreaterThan(0);
    for (const [, functions = '', file = ''] of places) {
      const source = read(file);
      for (const [, name = ''] of functions.matchAll(/`(\w+)`/g))
        expect(source, `${name} in ${file}`).toMatch(new RegExp(`(function|const) ${name}\\b`));
    }
  });
});
