import { breakerKey, type Outcome, type TaskRow } from '@sluice/contracts';
import { placeLaneHints, type PlaceDeps } from '../hints/place.ts';
import type { BacklogStore } from '../ports/backlog-store.ts';
import type { PermitStore } from '../ports/permit-store.ts';
import { changeBreaker, PROBE_TRIES } from './change.ts';
import { isShut, isTelling, onAlive, onCrash, onProbePassed, type CrashAnswer } from './decide.ts';
import { merged, NO_EVIDENCE, type Sightings } from './evidence.ts';
import { undoProbes, type GateDeps } from './gate.ts';

export interface ReportDeps extends GateDeps, PlaceDeps {
  readonly permits: PermitStore;
  /** What this environment has seen. @default it remembers nothing */
  readonly sightings?: Sightings;
  /** Where the lanes are that a breaker which closes lets go. @default the minute's tick finds them */
  readonly backlog?: Pick<BacklogStore, 'lanes'>;
}

const COUNTS: CrashAnswer = { excused: false };

/**
 * Tells the type's breaker of a crash. @returns whether it counts as an attempt of its task. What can't be told counts:
 * a task must come to its end.
 */
export async function reportCrash(deps: ReportDeps, row: TaskRow, outcome: Outcome): Promise<CrashAnswer> {
  const { breakers, sightings, clock, telemetry } = deps;
  if (!breakers) return COUNTS;
  const key = breakerKey(row.type);
  const known = await breakers.known(key);
  // In an outage most crashes come after it opened: they need not ask again.
  if (!outcome.canary && known && isShut(known, clock.now())) return { excused: true, notBefore: known.probeAt ?? clock.now() };
  const seen = sightings?.take(key) ?? NO_EVIDENCE;
  try {
    const also = merged(seen, await laneEvidence(deps, row));
    const crash = { at: beganAt(row, outcome), seen: clock.now(), tenant: row.tenant, uid: row.uid };
    const told = { ...crash, first: row.crashes === undefined, canary: outcome.canary, also };
    const { answer, written } = await changeBreaker(
      { ...deps, breakers },
      key,
      (b, now) => onCrash(b, told, now),
      outcome.canary && PROBE_TRIES,
    );
    if (!written) sightings?.putBack(key, seen);
    if (answer.excused) telemetry.count('breaker.excused', row.type);
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
  const { breakers, sightings } = deps;
  if (!breakers || outcome.class === 'crashed') return;
  const { canary, answered } = outcome;
  const key = breakerKey(row.type);
  const began = beganAt(row, outcome);
  if (answered) sightings?.alive(key, row.tenant, began, outcome.at);
  if (canary && !answered) return undoProbes(deps, canary, [row.uid]);
  if (!answered) return;
  try {
    if (!canary && !isTelling(await breakers.known(key), began)) return;
    const { answer: wake, written } = await changeBreaker(
      { ...deps, breakers },
      canary?.breaker ?? key,
      (b, now) => (canary ? onProbePassed(b, row.uid, canary, now) : onAlive(b, row.tenant, began, now)),
      PROBE_TRIES,
    );
    if (wake && written) await wakeLanes(deps, row.type);
  } catch (error) {
    deps.telemetry.log('warn', 'breaker not told of an end', { breaker: key, tenant: row.tenant, task: row.id, error });
  }
}

/** Tells the lanes of a type that held tasks may go on. Best effort: the minute says the same. */
export async function wakeLanes(deps: Pick<ReportDeps, 'backlog'> & PlaceDeps, type: string): Promise<void> {
  const noted = deps.backlog ? await deps.backlog.lanes() : [];
  await placeLaneHints(
    deps,
    noted.flatMap(({ lane }) => (lane.type === type ? [lane] : [])),
  );
}

function beganAt({ run }: TaskRow, { startedAt, at }: Outcome): number {
  return startedAt ?? run?.claimedAt ?? at;
}
