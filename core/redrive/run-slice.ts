import { type Generation, type RedriveRecord, redriveSliceSchema, SYSTEM_TYPES, systemId, type TaskRow } from '@sluice/contracts';
import { isDead, rangeOf } from '../dead/dead-filter.ts';
import { walkDead } from '../dead/walk.ts';
import type { RedriveStore } from '../ports/redrive-store.ts';
import type { Timer } from '../ports/timer.ts';
import { type SystemAttempt, SystemTaskError } from '../system/run-system-task.ts';
import { submitSystemTask } from '../system/submit-system-task.ts';
import { firstFailureKeyAt } from '../tasks/failure-key.ts';
import { isTerminal } from '../tasks/state.ts';
import {
  finished,
  type Found,
  nextStep,
  planned,
  redriven,
  type RedriveStep,
  watchAgainAt,
  watched,
  type WaveEnd,
  withDecision,
} from './decide.ts';
import { redriveTasks, type RedriveTasksDeps } from './redrive-tasks.ts';

export interface SliceDeps extends RedriveTasksDeps {
  readonly redrives: RedriveStore;
  readonly timer: Timer;
}

/** Seconds that a slice works; then the next one goes on. */
const SLICE_SECONDS = 40;
/** ms before its deadline at which a slice begins nothing more. */
const MARGIN_MS = 12_000;
/** Failures that are looked at before the redrive's place is written down. */
const LOOKS = 1_000;
/** ms after which a slice that another run of it has taken over looks again. */
const TAKEN_OVER_MS = 30_000;

/** What a slice of a redrive answers with. */
export interface SliceResult {
  readonly state: RedriveRecord['state'] | 'gone';
  readonly redriven: number;
}

/** The name of a slice: whoever submits it again finds the task that exists. */
export function sliceOf(id: string, slice: number) {
  return {
    type: SYSTEM_TYPES.redrive,
    id: systemId('redrive', id, String(slice)),
    payload: { v: 1, redrive: id, slice },
  } as const;
}

/**
 * A slice of a redrive: takes it over from the slice before, goes on from what is written down, and submits the next
 * slice before it ends. All of it may be repeated. A run that loses a write to another run of its slice is given back:
 * only whoever has made the next slice durable may end.
 */
export async function runSlice(deps: SliceDeps, payload: unknown, attempt: SystemAttempt): Promise<SliceResult> {
  const { redrive: id, slice } = redriveSliceSchema.parse(payload);
  const taken = await takeOver(deps, attempt.tenant, id, slice);
  if (!taken) return { state: 'gone', redriven: 0 };
  // The slice that took over goes on.
  if (taken.slice > slice) return { state: taken.state, redriven: 0 };
  const end = Math.min(deps.clock.now() + SLICE_SECONDS * 1_000, attempt.deadline - MARGIN_MS);
  const record = await new SliceRun(deps, taken).work(end);
  return { state: record.state, redriven: record.redriven - taken.redriven };
}

/** How often others may come first before a slice is given back; each time is somebody's progress. */
const MAX_LOOKS = 8;

/** Makes this run the one that drives the redrive. @returns the redrive, untouched where a later slice has it */
async function takeOver(deps: SliceDeps, tenant: string, id: string, slice: number): Promise<RedriveRecord | undefined> {
  for (let look = 0; look < MAX_LOOKS; look++) {
    const found = await deps.redrives.get(tenant, id);
    if (!found || found.slice > slice) return found;
    const [run, nonce] = [deps.random.nonce(), deps.random.nonce()];
    const taken = { ...found, slice, run, nonce, version: found.version + 1, updatedAt: deps.clock.now() };
    if (await deps.redrives.replace(taken)) return taken;
  }
  throw new SystemTaskError('retryable', `the redrive ${id} changed ${MAX_LOOKS} times while slice ${slice} took it over`);
}

class SliceRun {
  readonly #deps: SliceDeps;
  #record: RedriveRecord;

  constructor(deps: SliceDeps, record: RedriveRecord) {
    this.#deps = deps;
    this.#record = record;
  }

  async work(end: number): Promise<RedriveRecord> {
    const { clock, timer } = this.#deps;
    // However slowly time passes, a slice redrives no more than its seconds' worth.
    let budget = this.#record.ratePerSecond * SLICE_SECONDS;
    let notBefore = clock.now();
    for (;;) {
      const step = nextStep(this.#record);
      const now = clock.now();
      if (step.do === 'rest') return this.#record;
      if (step.do === 'finish') {
        this.#record = finished(this.#record, now);
        await this.#save();
        return this.#record;
      }
      if (now >= end || budget <= 0) return this.#later(Math.max(now, notBefore));
      if (step.do === 'redrive' && notBefore > now) {
        if (notBefore >= end) return this.#later(notBefore);
        await timer.sleep(notBefore - now);
      }
      const taken = await this.#take(step);
      budget -= taken;
      notBefore = Math.max(now, notBefore) + (taken * 1_000) / this.#record.ratePerSecond;
      if (step.do === 'watch' && this.#record.wave) return this.#later(watchAgainAt(this.#record, clock.now()));
    }
  }

  /** Takes one step. @returns how many tasks were redriven by it */
  async #take(step: Exclude<RedriveStep, { do: 'rest' | 'finish' }>): Promise<number> {
    const { clock } = this.#deps;
    if (step.do === 'plan') {
      this.#record = planned(this.#record, await this.#look(step.wanted));
      await this.#save();
      return 0;
    }
    if (step.do === 'watch') {
      this.#record = watched(this.#record, await this.#waveEnds(), clock.now());
      await this.#save();
      return 0;
    }
    const { tenant, id, page } = this.#record;
    const outcomes = await redriveTasks(this.#deps, tenant, id, page);
    this.#record = redriven(this.#record, outcomes, clock.now());
    // The wave is written down at once; else the next plan writes it.
    if (this.#record.wave || nextStep(this.#record).do !== 'plan') await this.#save();
    return outcomes.filter(({ did }) => did === 'redriven').length;
  }

  async #look(wanted: number): Promise<Found> {
    return this.#record.ids ? this.#lookAtIds(this.#record.ids, wanted) : this.#lookByFilter(wanted);
  }

  async #lookByFilter(wanted: number): Promise<Found> {
    const { tenant, filter = {}, createdAt, position } = this.#record;
    // What fails from its beginning on is not redriven by it: it would go round for ever.
    const until = firstFailureKeyAt(createdAt);
    const range = rangeOf(filter, createdAt);
    const before = [range.before, until, position ?? until].sort()[0] ?? until;
    const walk = await walkDead(
      this.#deps.deadTasks,
      tenant,
      filter,
      { ...range, before },
      { wanted, looks: LOOKS },
      this.#deps.clock.now(),
    );
    return { ...walk, page: this.#pageOf(walk.rows) };
  }

  async #lookAtIds(ids: readonly string[], wanted: number): Promise<Found> {
    const from = Number(this.#record.position ?? 0);
    const part = ids.slice(from, from + wanted);
    const rows = new Map((await this.#deps.deadTasks.rows(this.#record.tenant, part)).map((row) => [row.id, row]));
    const now = this.#deps.clock.now();
    const dead = part.flatMap((id) => rows.get(id) ?? []).filter((row) => isDead(row, now));
    const position = from + part.length;
    return { page: this.#pageOf(dead), position: String(position), scanned: part.length, exhausted: position >= ids.length };
  }

  /** Those that it has not made itself, and that had failed before it began. */
  #pageOf(rows: readonly TaskRow[]): readonly Generation[] {
    const { id: redrive, createdAt } = this.#record;
    return rows.filter((row) => row.redrive !== redrive && (row.endedAt ?? row.acceptedAt) < createdAt).map(({ id, uid }) => ({ id, uid }));
  }

  async #waveEnds(): Promise<readonly WaveEnd[]> {
    const { tenant, id: redrive, wave = [] } = this.#record;
    const rows = new Map((await this.#deps.deadTasks.rows(tenant, wave)).map((row) => [row.id, row]));
    return wave.map((id): WaveEnd => {
      const row = rows.get(id);
      // Only a success is deleted this soon.
      if (!row) return 'succeeded';
      // It has ended without success: nothing else could be replaced.
      if (row.redrive !== redrive) return 'failed';
      if (!isTerminal(row.state)) return 'unfinished';
      return row.state === 'succeeded' ? 'succeeded' : 'failed';
    });
  }

  /** The next slice goes on. It is durable when this returns. */
  async #later(at: number): Promise<RedriveRecord> {
    await this.#save();
    const { tenant, id, slice } = this.#record;
    const next = nextStep(this.#record);
    if (next.do !== 'rest') await submitSystemTask(this.#deps, tenant, { ...sliceOf(id, slice + 1), at: Math.ceil(at) });
    return this.#record;
  }

  /** Writes down how far it is. A decision that somebody has made of the redrive meanwhile is taken over. */
  async #save(): Promise<void> {
    const { redrives, random, clock } = this.#deps;
    for (;;) {
      const next = { ...this.#record, version: this.#record.version + 1, nonce: random.nonce(), updatedAt: clock.now() };
      if (await redrives.replace(next)) {
        this.#record = next;
        return;
      }
      const stored = await redrives.get(next.tenant, next.id);
      if (!stored) throw new SystemTaskError('fatal', `the redrive ${next.id} is gone`);
      if (stored.nonce === next.nonce) {
        this.#record = next;
        return;
      }
      if (stored.run !== next.run) {
        throw new SystemTaskError('throttled', `another run has taken the redrive ${next.id} over`, { retryAfterMs: TAKEN_OVER_MS });
      }
      this.#record = withDecision(next, stored);
    }
  }
}
