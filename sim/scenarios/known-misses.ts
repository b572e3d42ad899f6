import { isMet, type Result } from './report/result.ts';
import { text } from './report/write.ts';

/** A goal that is missed, and why that is left so. */
interface KnownMiss {
  readonly scenario: string;
  /** The goal, as the page says it. */
  readonly what: string;
  /** Whether it is the whole scenario that misses it, the quick one, or both. */
  readonly of: 'whole' | 'quick' | 'both';
  readonly why: string;
}

const BARE = 'Sluice, `event`, bare 429s';
const LONG = 'Sluice, `event`, 3 s, the handler reports throttles';
const FEW = 'the quick one has a capacity of 50, and of 5 while it is slow: of so few, one permit that changes hands is a fifth';

export const KNOWN_MISSES: readonly KnownMiss[] = [
  {
    scenario: 'noisy-neighbour',
    what: "weights and a guarantee: p99 of the others' waits, compared",
    of: 'whole',
    why: 'four that flood at once draw four tenths of the capacity from the entry pool until control divides, ten seconds later',
  },
  {
    scenario: 'downstream-slows',
    what: `${BARE}: over the capacity after it fell (s)`,
    of: 'whole',
    why: 'what is begun while the first events grow too old holds its permits for the age of an event as well',
  },
  {
    scenario: 'downstream-slows',
    what: `${BARE}: utilisation in the steady state`,
    of: 'both',
    why: 'a permit rests for some 140 ms between two attempts of 500 ms, and Lambda leaves room between its tries',
  },
  { scenario: 'downstream-slows', what: `${BARE}: the same, of what a lane has that is told the capacity`, of: 'quick', why: FEW },
  { scenario: 'downstream-slows', what: `${BARE}: permits held, of as many as the capacity takes, steady`, of: 'quick', why: FEW },
  { scenario: 'downstream-slows', what: `${LONG}: utilisation in the steady state`, of: 'quick', why: FEW },
  { scenario: 'downstream-slows', what: `${LONG}: permits held, of as many as the capacity takes, steady`, of: 'quick', why: FEW },
  {
    scenario: 'retry-storm',
    what: 'tasks given up',
    of: 'whole',
    why: 'a task whose five attempts all ran and were cut off has used up its own policy; some do while what is downstream is slow',
  },
];

/** What is not as it is known to be: a goal that is newly missed, and a known miss that is met or is no goal any more. */
export function surprises({ name, goals }: Pick<Result, 'name' | 'goals'>, quick: boolean, known = KNOWN_MISSES): readonly string[] {
  const ours = known.filter(({ scenario, of }) => scenario === name && of !== (quick ? 'whole' : 'quick'));
  const missed = goals
    .filter((goal) => !isMet(goal) && !ours.some(({ what }) => what === goal.what))
    .map(({ what, value, is, bound }) => `${name}: ${what} is ${text(value)}, and is to be ${is} ${text(bound)}`);
  const stale = ours.flatMap(({ what }) => {
    const goal = goals.find((each) => each.what === what);
    if (!goal) return [`${name}: ${what} is known to be missed, and is no goal`];
    return isMet(goal) ? [`${name}: ${what} is known to be missed, and is met: ${text(goal.value)}`] : [];
  });
  return [...missed, ...stale];
}
