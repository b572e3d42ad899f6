import type { ExploreConfig } from './config.ts';
import { BASE, ONCE, submit, type } from './parts.ts';

const AUTO = { start: 'auto' } as const;

/** Questions about types that choose how they are started: whoever asks may be told either, each time. */
export const AUTO_CONFIGS: readonly ExploreConfig[] = [
  {
    ...BASE,
    name: 'auto',
    what: 'one task by event or wait, chosen anew each time that it is asked',
    types: [type('a', { ...AUTO, retry: ONCE })],
    clients: [[submit('t', 'a')]],
    kinds: ['crash', 'again'],
    states: 30_000,
  },
  {
    ...BASE,
    name: 'auto-slow',
    what: 'the same, and somebody takes long',
    types: [type('a', { ...AUTO, retry: ONCE })],
    clients: [[submit('t', 'a')]],
    kinds: ['slow'],
    endings: ['ok'],
    states: 20_000,
  },
  {
    ...BASE,
    name: 'auto-lanes',
    what: 'the same with two tasks in a lane of one',
    types: [type('a', AUTO)],
    clients: [[submit('t', 'a')], [submit('u', 'a')]],
    workers: 1,
    faults: 0,
    endings: ['ok'],
    states: 20_000,
  },
];
