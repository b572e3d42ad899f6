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
  {
    name: 'refused-for-ever',
    why: 'what control has once said of a tenant counts until it says something else, and of a tenant with nothing waiting it says nothing',
    edits: [
      {
        file: 'core/admission/feed.ts',
        find: 'const DOCUMENT_KEPT_MS = 90_000;',
        replace: 'const DOCUMENT_KEPT_MS = 90_000_000;',
      },
      {
        file: 'core/admission/control-step.ts',
        find: 'if (idle(state) && (!before || idle(before)) && set.length === 0) return;',
        replace: 'if (idle(state)) return;',
      },
    ],
    seeds: 60,
    profile: BOUNDED,
  },
];
