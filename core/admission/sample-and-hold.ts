/**
 * Who submits most, in little memory: Sample and Hold (C. Estan and G. Varghese, "New directions in traffic measurement
 * and accounting", SIGCOMM 2002). Each task of a tenant that is not held is sampled with probability p; the first one
 * that is sampled makes an entry, and from then on every task of the tenant is counted.
 *
 * With a threshold of T tasks in an interval (`share` of the volume expected) and oversampling O, p = O / T:
 *
 * - a tenant of T tasks is missed with probability (1 - p)^T ≈ e^-O: 0.7 % at the default of 5, and one of 2 T with its square;
 * - what is missed before the first sampled task is geometric, with mean and standard deviation (1 - p) / p < T / O. The
 *   mean is added, so that the estimate is unbiased, 0 for tenants without an entry included (A. Kumar and others, and
 *   E. Cohen and others, "Sketching unaggregated data streams", 2007); its standard error is below T / O, 20 % of T;
 * - entries expected are O / share, whatever the number of tenants: 1,000 at the defaults.
 *
 * Tenants that were large stay held over the next interval, in which they are counted exactly. Entries made in an interval
 * stay only from `earlyRemoval` of T on, as most of the small ones were sampled by chance.
 *
 * When entries run out, because the volume is beyond what was expected, p is halved, and the entries made in this interval
 * are sampled again as if it had been so from the beginning (the counting samples of P. Gibbons and Y. Matias, SIGMOD
 * 1998). So nothing is refused an entry for coming late, and estimates stay unbiased.
 */
export interface SampleRules {
  /** O: 1 or more. @default 5 */
  readonly oversampling: number;
  /** Tenants with at least this part of an interval's tasks are to be found; above 0, at most 1. @default 0.005 */
  readonly share: number;
  /** Entries at most; half of them may be held over an interval. @default 2000 */
  readonly entries: number;
  /** Of T: new entries below it are not held over. 0 to 1. @default 0.15 */
  readonly earlyRemoval: number;
}

export const SAMPLE_RULES: SampleRules = { oversampling: 5, share: 0.005, entries: 2_000, earlyRemoval: 0.15 };

/** What one tenant submitted in an interval: an unbiased estimate, exact where the tenant was held before. */
export interface Flow {
  readonly tenant: string;
  readonly tasks: number;
}

/** What an interval came to. */
export interface Interval {
  /** Exact. */
  readonly tasks: number;
  /** The largest first. */
  readonly flows: readonly Flow[];
}

/** The memory of one environment. */
export interface Sampler {
  readonly add: (tenant: string, tasks: number) => void;
  /** So many tasks of the tenant in this interval, as far as it is held. */
  readonly estimate: (tenant: string) => number;
  /** Tasks of all tenants in this interval. */
  readonly volume: () => number;
  readonly size: () => number;
  /** Ends the interval and begins the next. */
  readonly close: () => Interval;
}

interface Entry {
  count: number;
  /** Held since before the interval. */
  readonly exact: boolean;
}

/** @param fraction uniform in [0, 1) */
export function createSampler(fraction: () => number, rules: SampleRules = SAMPLE_RULES): Sampler {
  const { oversampling, share, entries: most, earlyRemoval } = rules;
  const probabilityOf = (volume: number): number => Math.min(1, oversampling / (share * Math.max(1, volume)));
  let entries = new Map<string, Entry>();
  let tasks = 0;
  // Little is counted whole.
  let expected = oversampling / share;
  let p = probabilityOf(expected);

  const estimateOf = ({ count, exact }: Entry): number => (exact ? count : count + (1 - p) / p);

  const halve = (): void => {
    const lower = p / 2;
    for (const [tenant, entry] of entries) {
      if (entry.exact || fraction() < 0.5) continue;
      // The task that made the entry is not sampled any more: the next one that is makes it.
      entry.count -= firstSampled(lower, fraction());
      if (entry.count < 1) entries.delete(tenant);
    }
    p = lower;
  };

  return {
    add: (tenant, n) => {
      tasks += n;
      const held = entries.get(tenant);
      if (held) {
        held.count += n;
        return;
      }
      const first = firstSampled(p, fraction());
      if (first > n) return;
      entries.set(tenant, { count: n - first + 1, exact: false });
      while (entries.size > most) halve();
    },
    estimate: (tenant) => {
      const held = entries.get(tenant);
      return held ? estimateOf(held) : 0;
    },
    volume: () => tasks,
    size: () => entries.size,
    close: () => {
      const sorted = [...entries].sort(([, a], [, b]) => b.count - a.count);
      const flows = sorted.map(([tenant, entry]) => ({ tenant, tasks: estimateOf(entry) })).filter((flow) => flow.tasks > 0);
      const threshold = share * tasks;
      const stays = ({ count, exact }: Entry): boolean => count > 0 && count >= (exact ? 1 : earlyRemoval) * threshold;
      const held = sorted.filter(([, entry]) => stays(entry)).slice(0, Math.floor(most / 2));
      entries = new Map(held.map(([tenant]) => [tenant, { count: 0, exact: true }]));
      const interval = { tasks, flows: flows.sort((a, b) => b.tasks - a.tasks) };
      expected = Math.max(oversampling / share, (expected + tasks) / 2);
      p = probabilityOf(expected);
      tasks = 0;
      return interval;
    },
  };
}

/** Which of a row of tasks is the first that is sampled: geometric, from 1 on. */
function firstSampled(p: number, fraction: number): number {
  return p >= 1 ? 1 : 1 + Math.floor(Math.log(1 - fraction) / Math.log1p(-p));
}
