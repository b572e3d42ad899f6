import type { Explored } from './search.ts';

/** States that all questions come to together at least. */
export const LEAST_STATES = 100_000;
/** Questions of which every state is visited; the others have more than a run has time for. */
export const WHOLE = [
  ...['event', 'event-once', 'event-twice', 'event-again', 'event-lost', 'long'],
  ...['wait-once', 'wait-wide', 'throttle-wait', 'expire', 'far'],
];

/** What a run of all questions falls short of: a search that stops too early finds nothing, and nobody would know. */
export function shortOf(results: readonly Pick<Explored, 'config' | 'states' | 'complete'>[]): string[] {
  const states = results.reduce((sum, result) => sum + result.states, 0);
  const complete = new Set(results.flatMap((result) => (result.complete ? [result.config] : [])));
  return [
    ...(states < LEAST_STATES ? [`${states} states, of at least ${LEAST_STATES}`] : []),
    ...WHOLE.flatMap((name) => (complete.has(name) ? [] : [`the question ${name} is to be visited whole, and was not`])),
  ];
}
