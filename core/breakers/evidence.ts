import type { Crash, Evidence } from '@sluice/contracts';

/** Bounds of what a breaker keeps: some 3 KB at the most. */
const KEPT = { crashes: 24, seconds: 60, tenants: 8 } as const;

export const NO_EVIDENCE: Evidence = { crashes: [], alive: [], tenants: [] };

/** Weight of the latest duration in their moving average. */
const WEIGHT = 0.1;

/** Adds an attempt that did not crash. */
export function addAlive(evidence: Evidence, tenant: string, beganAt: number, endedAt: number): Evidence {
  const took = Math.max(0, endedAt - beganAt);
  const aliveMs = evidence.aliveMs === undefined ? took : Math.round(evidence.aliveMs + WEIGHT * (took - evidence.aliveMs));
  return { ...merged(evidence, { crashes: [], alive: [[Math.floor(beganAt / 1000), 1]], tenants: [[tenant, beganAt]] }), aliveMs };
}

/** Adds the first crash of a task. A task that is known is the same task, however often it is told. */
export function addCrash(evidence: Evidence, crash: Crash): Evidence {
  const known = evidence.crashes.some(({ uid }) => uid === crash.uid);
  return known ? evidence : { ...evidence, crashes: thinned([...evidence.crashes, crash]) };
}

/**
 * Where there are too many, the one that is closest between its neighbours goes, and the one before it stands for it as
 * well: so that those which are kept reach back as long as they can.
 */
function thinned(crashes: Crash[]): Crash[] {
  if (crashes.length <= KEPT.crashes) return crashes;
  const gaps = crashes.map((_, i) => (crashes[i + 1]?.seen ?? Infinity) - (crashes[i - 1]?.seen ?? -Infinity));
  const gone = gaps.indexOf(Math.min(...gaps));
  return crashes.flatMap((crash, i) => {
    if (i === gone) return [];
    return i === gone - 1 ? [{ ...crash, n: weightOf(crash) + weightOf(crashes[gone]) }] : [crash];
  });
}

/** Tasks that a crash stands for. */
export function weightOf(crash: Crash | undefined): number {
  return crash ? (crash.n ?? 1) : 0;
}

/** What two observers know together, the latest of it. */
export function merged(a: Evidence, b: Evidence): Evidence {
  const seconds = new Map(a.alive);
  for (const [second, n] of b.alive) seconds.set(second, (seconds.get(second) ?? 0) + n);
  const tenants = new Map(a.tenants);
  for (const [tenant, at] of b.tenants) tenants.set(tenant, Math.max(at, tenants.get(tenant) ?? 0));
  const aliveMs = b.aliveMs ?? a.aliveMs;
  return {
    crashes: b.crashes.reduce((all, crash) => addCrash({ ...a, crashes: all }, crash).crashes, a.crashes),
    alive: [...seconds].sort(([x], [y]) => x - y).slice(-KEPT.seconds),
    tenants: [...tenants].sort(([, x], [, y]) => x - y).slice(-KEPT.tenants),
    ...(aliveMs !== undefined && { aliveMs }),
  };
}

/** Breakers of which an environment remembers what it saw; a platform has hardly more task types. */
const KEYS = 500;

/**
 * What one environment has seen of attempts that did not crash, since it last told: in its memory alone, so that it costs
 * nothing. Outcomes are spread over environments by chance, so whoever sees a type's crashes sees its successes too.
 */
export interface Sightings {
  readonly alive: (key: string, tenant: string, beganAt: number, endedAt: number) => void;
  /** Takes what was seen, to be told to the breaker. */
  readonly take: (key: string) => Evidence;
  /** Puts back what could not be told. */
  readonly putBack: (key: string, evidence: Evidence) => void;
}

export function createSightings(): Sightings {
  const seen = new Map<string, Evidence>();
  const keep = (key: string, evidence: Evidence): void => {
    if (seen.size >= KEYS && !seen.has(key)) seen.clear();
    seen.set(key, evidence);
  };
  return {
    alive: (key, tenant, beganAt, endedAt) => keep(key, addAlive(seen.get(key) ?? NO_EVIDENCE, tenant, beganAt, endedAt)),
    take: (key) => {
      const evidence = seen.get(key) ?? NO_EVIDENCE;
      seen.delete(key);
      return evidence;
    },
    putBack: (key, evidence) => keep(key, merged(evidence, seen.get(key) ?? NO_EVIDENCE)),
  };
}
