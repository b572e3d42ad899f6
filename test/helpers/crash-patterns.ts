import { createMemoryRandom } from '../../adapters/memory/index.ts';
import { newBreaker, onCrash, type CrashAnswer } from '../../core/breakers/decide.ts';
import { createSightings } from '../../core/breakers/evidence.ts';
import { T0 } from './samples.ts';

/** One attempt of a pattern: when it began and ended, ms after the pattern's start, whose it was, and whether it crashed. */
export interface PatternAttempt {
  readonly from: number;
  readonly to: number;
  readonly tenant: string;
  readonly task: string;
  readonly crash: boolean;
}

export interface Stream {
  readonly tenant: string;
  /** ms between two tasks. */
  readonly every: number;
  readonly until: number;
  readonly runs?: number;
  /** Whether an attempt of its n-th task that begins then crashes. @default never */
  readonly crashes?: (n: number, at: number) => boolean;
  /** ms that a crash takes. @default 50 */
  readonly crashRuns?: number;
  readonly offset?: number;
}

/** Attempts of streams of tasks: what crashes is tried again after 1.5 s and 3 s, three times in all. */
export function patternOf(...streams: readonly Stream[]): readonly PatternAttempt[] {
  const attempts = streams.flatMap(({ tenant, every, until, runs = 200, crashes = () => false, crashRuns = 50, offset = 0 }) =>
    Array.from({ length: Math.ceil((until - offset) / every) }, (_, n) => n).flatMap((n) => {
      const own: PatternAttempt[] = [];
      let from = offset + n * every;
      for (let attempt = 1; attempt <= 3; attempt++) {
        const crash = crashes(n, from);
        const to = from + (crash ? crashRuns : runs);
        own.push({ from, to, tenant, task: `${tenant}-${n}`, crash });
        if (!crash) break;
        from = to + 1_500 * attempt;
      }
      return own;
    }),
  );
  return attempts.toSorted((a, b) => a.to - b.to);
}

export interface Judged {
  /** Crashes that counted, by task. */
  readonly counted: ReadonlyMap<string, number>;
  /** When it opened, ms after the pattern's start. */
  readonly openedAt: number | undefined;
  readonly answers: readonly CrashAnswer[];
}

/**
 * Lets environments hear of a pattern's attempts, until the breaker opens.
 * @param environments that the attempts' ends are spread over by chance
 */
export function judgePattern(attempts: readonly PatternAttempt[], environments = 3): Judged {
  const random = createMemoryRandom(7);
  const seen = Array.from({ length: environments }, () => createSightings());
  const key = 'type:thumbnail';
  const counted = new Map<string, number>();
  const answers: CrashAnswer[] = [];
  const uids = new Map<string, string>();
  let breaker = newBreaker(key, T0);
  for (const { from, to, tenant, task, crash } of attempts) {
    const sightings = seen[Math.floor(random.fraction() * environments)] ?? createSightings();
    const now = T0 + to;
    if (!crash) {
      sightings.alive(key, tenant, T0 + from, now);
      continue;
    }
    const uid = uids.get(task) ?? random.ulid(T0);
    uids.set(task, uid);
    const { next, answer } = onCrash(
      breaker,
      { at: T0 + from, seen: now, tenant, uid, first: !counted.has(task), also: sightings.take(key) },
      now,
    );
    breaker = next ?? breaker;
    answers.push(answer);
    if (!answer.excused) counted.set(task, (counted.get(task) ?? 0) + 1);
    if (breaker.state === 'open') return { counted, openedAt: to, answers };
  }
  return { counted, openedAt: undefined, answers };
}
