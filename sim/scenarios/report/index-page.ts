import type { Scenario } from './result.ts';

/** What each scenario asks; the pages have the answers. */
export const QUESTIONS: Readonly<Record<string, string>> = {
  'noisy-neighbour': 'one tenant of many floods: what do the others notice?',
  'downstream-slows': 'how is a capacity found that nobody tells, and how is it followed when it falls 10× and comes back?',
  'downstream-down': 'what is downstream is gone for ten minutes: what is given up, what is tried in vain?',
  'retry-storm': 'do retries keep an overload alive?',
  bulk: 'half a million tasks at once from one tenant: what do the others notice, and what does waiting cost?',
  'poison-tenant': 'a tenant kills its queues: whom does that stop?',
  'priority-inversion': 'high priority asks for more than there is: how long do the others wait?',
  'tenant-growth': 'fifty times as many tenants: do the tasks notice, and whom do more queues move?',
  burst: 'a hundred thousand submissions a second: who is refused?',
};

export function indexPage(scenarios: readonly Scenario[]): string {
  return [
    '# How well does it share?',
    '',
    'Each page is one scenario of the simulation at scale: the policies of `core/` as they are, beside named alternatives, on one',
    'model of SQS, Lambda and what is downstream. Goals that are missed are shown as missed.',
    '',
    '```sh no-run: takes its time',
    'npm run sim:scenarios                        # all, and these pages anew: the same seed, the same bytes',
    'npm run sim:scenarios -- burst bulk --json   # some, with all numbers as JSON',
    'npm run sim:scenarios -- --check --quick     # small ones: ends with 1 where a goal is missed that is not known to be',
    'npm run sim:scenarios -- --scale --json      # how quick the simulation is: tasks a second, memory of a million live tasks',
    '```',
    '',
    '| page | question |',
    '| --- | --- |',
    ...scenarios.map(({ name }) => `| [${name}](${name}.md) | ${QUESTIONS[name] ?? ''} |`),
    '',
    'What is known to be missed, and why: [known-misses.ts](../../sim/scenarios/known-misses.ts). Once one of those is met, the check fails',
    'as well, and it goes from the list.',
    '',
    'What is assumed of the services, with the source of each number: [parameters.ts](../../sim/scenarios/parameters.ts). Why it is',
    'built like this: [0026](../decisions/0026-scenarios-run-the-policies.md).',
    '',
  ].join('\n');
}
