import { breakerKey, type Breaker, type BreakerCanary, type Outcome, type TaskRow } from '@sluice/contracts';
import { placeLaneHints, type PlaceDeps } from '../hints/place.ts';
import type { BacklogStore } from '../ports/backlog-store.ts';
import type { BreakerStore } from '../ports/breaker-store.ts';
import type { PermitStore } from '../ports/permit-store.ts';
import type { TypeRegistry } from '../ports/type-registry.ts';
import { changeBreaker, PROBE_TRIES } from './change.ts';
import { isShut, isTelling, onAlive, onCrash, onProbePassed, type CrashAnswer } from './decide.ts';
import { merged, NO_EVIDENCE, type Sightings } from './evidence.ts';
import { undoProbes, type GateDeps } from './gate.ts';
import { breakersOfType, typesOfBreaker } from './keys.ts';

export interface ReportDeps extends GateDeps, PlaceDeps {
  readonly permits: PermitStore;
  /** What this environment has seen. @default it remembers nothing */
  readonly sightings?: Sightings;
  /** Where the lanes are that a breaker which closes lets go. @default the minute's tick finds them */
  readonly backlog?: Pick<BacklogStore, 'lanes'>;
}

const COUNTS: CrashAnswer = { excused: false };

/**
 * Tells the breakers of the type and its resources of a crash. @returns whether it counts as an attempt of its task. What
 * can't be told counts: a task must come to its end.
 */
export async function reportCrash(deps: ReportDeps, row: TaskRow, outcome: Outcome): Promise<CrashAnswer> {
  const { breakers, types, clock, telemetry } = deps;
  if (!breakers) return COUNTS;
  const { canary } = outcome;
  if (canary) return reportProbeCrash(deps, breakers, canary, row, outcome);
  const keys = await breakersOfType(types, row.type);
  // In an outage most crashes come after it opened: they need not ask again.
  const shut = (await Promise.all(keys.map((key) => breakers.known(key)))).filter(isShutNow(clock.now()));
  if (shut.length > 0) return { excused: true, notBefore: Math.max(...shut.map(({ probeAt }) => probeAt ?? clock.now())) };
  let answer: CrashAnswer = COUNTS;
  for (const key of keys) {
    answer = together(answer, await tellCrash(deps, breakers, key, row, outcome));
    // Where the resource is down, its types are not.
    if (answer.excused && (await breakers.known(key))) break;
  }
  if (answer.excused) telemetry.count('breaker.excused', row.type);
  return answer;
}

/** A probe is of one breaker. Where that is a resource's and others' probes are well, it is the task or its type: that one's breaker says which. */
async function reportProbeCrash(
  deps: ReportDeps,
  breakers: BreakerStore,
  canary: BreakerCanary,
  row: TaskRow,
  outcome: Outcome,
): Promise<CrashAnswer> {
  const answer = await tellCrash(deps, breakers, canary.breaker, row, outcome, canary);
  const own = breakerKey(row.type);
  const last = answer.excused || canary.breaker === own ? answer : await tellCrash(deps, breakers, own, row, outcome);
  if (last.excused) deps.telemetry.count('breaker.excused', row.type);
  return last;
}

function isShutNow(now: number) {
  return (breaker: Breaker | undefined): breaker is Breaker => isShut(breaker, now);
}

/** One that excuses is enough; where several do, the task waits for all of them. */
function together(a: CrashAnswer, b: CrashAnswer): CrashAnswer {
  if (!a.excused || !b.excused) return a.excused ? a : b;
  return { excused: true, notBefore: Math.max(a.notBefore, b.notBefore) };
}

async function tellCrash(
  deps: ReportDeps,
  breakers: BreakerStore,
  key: string,
  row: TaskRow,
  outcome: Outcome,
  canary?: BreakerCanary,
): Promise<CrashAnswer> {
  const { sightings, clock, telemetry } = deps;
  const seen = sightings?.take(key) ?? NO_EVIDENCE;
  try {
    const also = merged(seen, await laneEvidence(deps, row));
    const crash = { at: beganAt(row, outcome), seen: clock.now(), tenant: row.tenant, uid: row.uid, type: row.type };
    const told = { ...crash, first: row.crashes === undefined, canary, also };
    const { answer, written } = await changeBreaker({ ...deps, breakers }, key, (b, now) => onCrash(b, told, now), canary && PROBE_TRIES);
    if (!written) sightings?.putBack(key, seen);
    return answer;
  } catch (error) {
    sightings?.putBack(key, seen);
    telemetry.log('warn', 'breaker not told of a crash', { breaker: key, tenant: row.tenant, task: row.id, error });
    return COUNTS;
  }
}

/** The lane's cell says when its latest success began. */
async function laneEvidence({ permits }: ReportDeps, { tenant, type, run }: TaskRow): Promise<typeof NO_EVIDENCE> {
  if (!run) return NO_EVIDENCE;
  const { aliveAt } = await permits.read({ tenant, type }, run.cell);
  return aliveAt === undefined ? NO_EVIDENCE : { crashes: [], alive: [[Math.floor(aliveAt / 1000), 1]], tenants: [[tenant, aliveAt]] };
}

/** Remembers an attempt that was settled and did not crash, and tells the breaker of a probe. Never throws. */
export async function reportEnd(deps: ReportDeps, row: TaskRow, outcome: Outcome): Promise<void> {
  const { breakers, sightings, types } = deps;
  if (!breakers || outcome.class === 'crashed') return;
  const { canary, answered } = outcome;
  const began = beganAt(row, outcome);
  if (canary && !answered) return undoProbes(deps, canary, [row.uid]);
  if (!answered) return;
  try {
    const keys = await breakersOfType(types, row.type);
    for (const key of keys) sightings?.alive(key, row.tenant, began, outcome.at);
    for (const key of canary ? [canary.breaker] : keys) {
      if (!canary && !isTelling(await breakers.known(key), began)) continue;
      const { answer: wake, written } = await changeBreaker(
        { ...deps, breakers },
        key,
        (b, now) => (canary ? onProbePassed(b, row.uid, canary, now) : onAlive(b, row.tenant, began, now)),
        PROBE_TRIES,
      );
      if (wake && written) await wakeLanes(deps, key);
    }
  } catch (error) {
    deps.telemetry.log('warn', 'breaker not told of an end', { type: row.type, tenant: row.tenant, task: row.id, error });
  }
}

/** Tells the lanes of a breaker's types that held tasks may go on. Best effort: the minute says the same. */
export async function wakeLanes(
  deps: Pick<ReportDeps, 'backlog'> & PlaceDeps & { readonly types: TypeRegistry },
  key: string,
): Promise<void> {
  const noted = deps.backlog ? await deps.backlog.lanes() : [];
  const types = await typesOfBreaker(deps.types, key);
  await placeLaneHints(
    deps,
    noted.flatMap(({ lane }) => (types.has(lane.type) ? [lane] : [])),
  );
}

function beganAt({ run }: TaskRow, { startedAt, at }: Outcome): number {
  return startedAt ?? run?.claimedAt ?? at;
}
