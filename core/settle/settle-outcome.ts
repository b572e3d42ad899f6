import { reportCrash, reportEnd, type ReportDeps } from '../breakers/report.ts';
import { SluiceError, type Attempt, type Outcome, type TaskRow, type TaskState, type TaskTypeSpec } from '@sluice/contracts';
import type { CrashAnswer } from '../breakers/decide.ts';
import { placeHints } from '../hints/place.ts';
import { logPointer } from '../outcomes/log-pointer.ts';
import type { PermitStore } from '../ports/permit-store.ts';
import type { LastingTaskStore } from '../ports/task-store.ts';
import type { LastingValueStore } from '../ports/value-store.ts';
import type { RowChange } from '../ports/task-store.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import { lateSuccessEvent } from '../tasks/event.ts';
import { noteRun, type RunTallyDeps } from '../starts/run-tally.ts';
import { HELD_MS, keepOn, KEPT_MS } from '../tasks/kept.ts';
import { hintOf, isTerminal } from '../tasks/state.ts';
import { logStep, type TaskStep } from '../tasks/step.ts';
import { storeCheckpoint } from '../tasks/checkpoint.ts';
import { storeValue } from '../tasks/values.ts';
import { attemptEnd } from './attempt-end.ts';
import { blindSuccess, classed, endsRun, FAILED_RETENTION_SECONDS, retainUntil, settle, type SettleDecision } from './decide.ts';
import { withEnd, type EffectDeps, type Effects } from './effects.ts';
import { effectsWith, releaseOf } from './effects-of.ts';
import { measureAttempt } from './measure-attempt.ts';

export interface SettleDeps extends EffectDeps, ReportDeps, RunTallyDeps {
  readonly tasks: LastingTaskStore;
  readonly values: LastingValueStore;
  readonly permits: PermitStore;
  readonly telemetry: Telemetry;
}

type By = 'record' | 'hint';

/** A writer may lose this often against others before it gives the outcome back; each loss is somebody's progress. */
const MAX_LOOKS = 8;

/**
 * Settles one outcome: the next hint, then the row. The effects that it returns come after that, and the message that
 * brought the outcome is deleted last. @throws where an answer is unknown; the outcome is then settled again.
 * @param given as its handler and Lambda said it; the rules of the retry policy come after
 * @param seen the row, where the caller has read it; without it a success is written blind.
 */
export async function settleOutcome(deps: SettleDeps, given: Outcome, by: By, seen?: TaskRow): Promise<Effects> {
  let outcome = given;
  const spec = await deps.types.get(outcome.type);
  const until = deps.clock.now() + (spec?.dedupWindowSeconds ?? FAILED_RETENTION_SECONDS) * 1000;
  const result = outcome.result === undefined ? undefined : await storeValue(deps.values, outcome, 'result', outcome.result, until);
  const checkpoint =
    outcome.checkpoint === undefined
      ? undefined
      : await storeCheckpoint(deps.values, outcome, outcome.checkpoint, deps.clock.now() + KEPT_MS);
  const write = (seq: number, state: TaskState, change: RowChange) => {
    const set = { ...change.set, ...(change.set.state === 'succeeded' && result && { result }) };
    if (change.set.state === 'waiting' && checkpoint) set.checkpoint = checkpoint;
    return deps.tasks.update(outcome.tenant, outcome.id, { uid: outcome.uid, seq, state }, { ...change, set });
  };

  let row = seen;
  if (row === undefined && outcome.class === 'succeeded') {
    const written = await write(outcome.fence, 'running', blindSuccess(outcome, by, spec, deps.clock.now()));
    if (written.applied) return ended(deps, spec, written.row, outcome);
    row = written.row;
  } else {
    row ??= await deps.tasks.get(outcome.tenant, outcome.id);
  }
  let crash: CrashAnswer | undefined;
  for (let look = 0; look < MAX_LOOKS; look++) {
    outcome = classed(given, spec, row);
    if (outcome.class === 'crashed' && endsRun(row, outcome)) crash ??= await reportCrash(deps, row, outcome);
    const decision = settle({ row, outcome, by, spec, crash, now: deps.clock.now(), fraction: deps.random.fraction() });
    if (decision.do === 'ignore') return decision.late ? await late(deps, row, outcome) : {};
    if (row === undefined) return {};
    if (decision.do === 'repeat-end') return effectsWith(spec, row, deps.clock.now());
    if (decision.do === 'repeat-release') return releaseOf(row);
    const kept = await prepare(deps, row, outcome, by, spec, decision);
    const change = { ...decision.change, set: { ...decision.change.set, ...kept } };
    const written = await write(row.seq, row.state, change);
    if (written.applied) {
      if (decision.do === 'end') return ended(deps, spec, written.row, outcome);
      measureAttempt(deps.telemetry, written.row, outcome);
      await noteRun(deps, spec, written.row, outcome);
      logStep(deps.telemetry, stepOf(outcome, crash), written.row, {
        again: new Date(decision.at).toISOString(),
        error: outcome.error?.message,
      });
      await reportEnd(deps, written.row, outcome);
      return withEnd(releaseOf(written.row), attemptEnd(row, outcome, spec));
    }
    row = written.row;
  }
  throw new SluiceError('unavailable', `task ${outcome.id} of ${outcome.tenant} changed ${MAX_LOOKS} times while an outcome was settled`);
}

/**
 * What must be durable before the row says so: the record of the attempt, the next hint, and that all of it lasts as long
 * as a row that failed, or until the next attempt ends however long that one is held back.
 */
async function prepare(
  deps: SettleDeps,
  row: TaskRow,
  outcome: Outcome,
  by: By,
  spec: TaskTypeSpec | undefined,
  decision: Extract<SettleDecision, { change: RowChange }>,
): Promise<Pick<TaskRow, 'keptUntil'>> {
  // A start that was refused is no attempt: kept, a storm of throttles would crowd the timeline.
  const refused = outcome.class === 'undone' || (outcome.class === 'throttled' && by === 'hint' && outcome.startedAt === undefined);
  if (outcome.class !== 'succeeded' && !refused) {
    const until = decision.do === 'again' ? decision.at + KEPT_MS : endOfRow(deps, decision.change.set);
    await deps.tasks.putAttempt(row.tenant, row.id, attemptOf(row, outcome, spec), Math.ceil(until / 1000));
  }
  if (decision.do === 'end') {
    return decision.change.set.state === 'succeeded' ? {} : keepOn(deps, row, endOfRow(deps, decision.change.set));
  }
  const kept = await keepOn(deps, row, decision.at + HELD_MS);
  const task = {
    ...hintOf({ ...row, state: 'waiting', at: decision.at, again: decision.change.set.again }, deps.clock.now()),
    seq: row.seq + 1,
  };
  const [durable] = await placeHints(deps, [{ tenant: row.tenant, task }]);
  if (durable !== true) throw new SluiceError('unavailable', `the next hint of task ${row.id} could not be made`);
  return kept;
}

/** ms until which a row that has ended is kept. */
function endOfRow({ clock }: SettleDeps, { ttl }: Pick<TaskRow, 'ttl'>): number {
  return (ttl ?? retainUntil(clock.now())) * 1000;
}

/** Counts at once, before any other call: whoever repeats the effects of this end does not count it again. */
async function ended(deps: SettleDeps, spec: TaskTypeSpec | undefined, row: TaskRow, outcome: Outcome): Promise<Effects> {
  measureAttempt(deps.telemetry, row, outcome);
  await noteRun(deps, spec, row, outcome);
  if (isTerminal(row.state)) {
    deps.telemetry.count(`task.${row.state}`, row.type);
    logStep(deps.telemetry, row.state, row, { reason: row.reason, error: row.error?.message });
  }
  await reportEnd(deps, row, outcome);
  return withEnd(effectsWith(spec, row, deps.clock.now()), attemptEnd(row, outcome, spec));
}

function stepOf({ class: outcomeClass }: Outcome, crash: CrashAnswer | undefined): TaskStep {
  if (crash?.excused) return 'excused';
  if (outcomeClass === 'throttled' || outcomeClass === 'preempted' || outcomeClass === 'undone' || outcomeClass === 'lost')
    return outcomeClass;
  return 'retrying';
}

/** A success that changes nothing any more is kept beside the row and told. */
async function late(deps: SettleDeps, row: TaskRow | undefined, outcome: Outcome): Promise<Effects> {
  deps.telemetry.count('task.late_success', outcome.type);
  logStep(deps.telemetry, 'late success', outcome);
  if (row === undefined) return {};
  const attempt: Attempt = { v: 1, uid: outcome.uid, fence: outcome.fence, class: 'succeeded', endedAt: outcome.at, late: true };
  await deps.tasks.putAttempt(outcome.tenant, outcome.id, attempt, Math.ceil(endOfRow(deps, row) / 1000));
  return { event: lateSuccessEvent(row, outcome) };
}

function attemptOf(row: TaskRow, outcome: Outcome, spec: TaskTypeSpec | undefined): Attempt {
  const log = logPointer(spec, outcome.requestId);
  return {
    v: 1,
    uid: row.uid,
    fence: outcome.fence,
    class: outcome.class,
    endedAt: outcome.at,
    ...(row.run && { claimedAt: row.run.claimedAt }),
    ...(outcome.startedAt !== undefined && { startedAt: outcome.startedAt }),
    ...(outcome.error && { error: outcome.error }),
    ...(log && { log }),
  };
}
