import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { pathToFileURL } from 'node:url';
import { resolve } from 'node:path';
import { MUTANTS } from './list.ts';
import { planted, rootOf } from './edit.ts';

/*
 * Loaded before anything else (`node --import`), it changes the code of one mutant while its modules are loaded. No file is
 * written. SLUICE_MUTANT says which.
 */
const name = process.env['SLUICE_MUTANT'];
const mutant = MUTANTS.find((m) => m.name === name);
if (!mutant) throw new Error(`there is no mutant "${name ?? ''}"`);
const edits = Map.groupBy(mutant.edits, ({ file }) => pathToFileURL(resolve(rootOf, file)).href);

registerHooks({
  load: (url, context, next) => {
    const found = edits.get(url);
    if (!found) return next(url, context);
    const source = planted(mutant.name, readFileSync(new URL(url), 'utf8'), found);
    return { ...next(url, context), source };
  },
});
