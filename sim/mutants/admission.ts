import type { Profile } from '../faults.ts';
import { edit, type Mutant } from './mutant.ts';

const SUBMIT = 'core/submit/submit.ts';
const GATE = 'core/admission/admission.ts';
const BOUNDED: Partial<Profile> = { admits: true, rates: false, divides: false, redeploys: false, purges: false };

/** Mistakes of admission, which the random simulation finds. */
export const ADMISSION: readonly Mutant[] = [
  {
    name: 'refused-and-written',
    why: 'a task is refused, and its row is written all the same',
    edits: [
      { file: SUBMIT, find: '  keep(refused);\n', replace: '' },
      { file: SUBMIT, find: 'splitRepeats(admitted);', replace: 'splitRepeats(candidates);' },
      { file: SUBMIT, find: '  const all = results.map(', replace: '  keep(refused);\n  const all = results.map(' },
    ],
    seeds: 20,
    profile: BOUNDED,
  },
  {
    name: 'refused-untold',
    why: 'a refusal does not say when to come again',
    edits: edit(GATE, '{ details: { retryAfterSeconds: retryAfter } }', '{ details: {} }'),
    seeds: 20,
    profile: BOUNDED,
  },
];
