import { setTimeout as sleep } from 'node:timers/promises';
import type { Exercise } from './exercises/exercise.ts';
import type { PlannedRun, Recording } from './plan.ts';
import { nameOf } from './sites/scan.ts';
import { Stage } from './world/stage.ts';
import type { World } from './world/world.ts';

/** Runs that are young at once: an older one mostly waits. */
const AT_ONCE = 14;
const YOUNG_MS = 5_000;
/** A fault that has not come by the end of its exercise may come by the next refresh of what a process knows. */
const REFRESH_MS = 70_000;
/** How often a run is done again whose fault did not come: another order of things has avoided it. */
const REPEATS = 3;
/** The call site that a process comes to when it is cold. */
const COLD = 'TypeRegistry';

export interface RunResult {
  readonly run: PlannedRun;
  readonly error: string | undefined;
  readonly seconds: number;
}

/** Runs exercises, many side by side, each with a tenant of its own. */
export class Runner {
  private readonly world: World;
  private readonly alone = new Map<string, Promise<unknown>>();
  private tenants = 0;

  constructor(world: World) {
    this.world = world;
  }

  /** Runs every exercise without a fault, to see which call sites it comes to. @throws the first failure */
  async record(exercises: readonly Exercise[]): Promise<Recording[]> {
    const recordings: Recording[] = [];
    for (const exercise of exercises.filter(({ ticks }) => ticks !== undefined)) {
      for (const fn of exercise.ticks ?? []) this.world.sightings.kill(fn);
      this.world.sightings.takeNameless();
      const stage = await this.perform(exercise);
      const nameless = new Map([...this.world.sightings.takeNameless()].filter(([site]) => exercise.ticks?.some((fn) => site.startsWith(`${fn}:`))));
      recordings.push({ exercise, named: stage.watch.counts(), nameless, ownFaults: stage.ownFaults });
    }
    const others = exercises.filter(({ ticks }) => ticks === undefined);
    await this.all(others, async (exercise) => {
      const stage = await this.perform(exercise);
      recordings.push({ exercise, named: stage.watch.counts(), nameless: new Map(), ownFaults: stage.ownFaults });
    });
    // What else names nobody is what a cold process reads, whoever asked it.
    const left = [...this.world.sightings.takeNameless()];
    const first = recordings.find(({ exercise }) => exercise === others[0]);
    if (first) recordings.splice(recordings.indexOf(first), 1, { ...first, nameless: new Map(left) });
    return recordings;
  }

  /** Runs with their faults, those first that take long. */
  async run(runs: readonly PlannedRun[], onResult: (result: RunResult) => void): Promise<void> {
    const long = ({ site, kind, exercise }: PlannedRun): boolean =>
      exercise.slow === true || (site.fn === 'dispatch' && (kind === 'unanswered' || kind.startsWith('kill')));
    await this.all(
      [...runs].sort((a, b) => Number(long(b)) - Number(long(a))),
      async (run) => {
        const began = performance.now();
        const error = await this.attempt(run);
        onResult({ run, error, seconds: Math.round((performance.now() - began) / 100) / 10 });
      },
    );
  }

  private async attempt(run: PlannedRun): Promise<string | undefined> {
    for (let repeat = 1; ; repeat++) {
      // After a miss the first call will do.
      const nth = repeat === 1 ? run.nth : 1;
      try {
        const hit = await this.perform(run.exercise, { ...run, nth }).then((stage) => stage !== undefined);
        if (hit) return undefined;
      } catch (error) {
        if (!(error instanceof MissedError)) return error instanceof Error ? error.message : String(error);
        if (repeat === REPEATS) return error.message;
      }
    }
  }

  /** One exercise from its first call to the last thing that must hold. */
  private async perform(exercise: Exercise, run?: PlannedRun): Promise<Stage> {
    this.tenants += 1;
    const stage = await Stage.open(this.world, `f${String(this.tenants).padStart(5, '0')}x`);
    const { proxy, sightings } = this.world;
    const armed =
      run &&
      proxy.arm({ ...run.site, kind: run.kind, nth: run.nth, ...(!run.nameless && { about: stage.names }) });
    if (run?.site.port === COLD) sightings.kill(run.site.fn);
    try {
      await exercise.run(stage);
      await stage.permitsReturned();
      if (armed && run.nameless) await Promise.race([armed.whenFired(), sleep(REFRESH_MS)]);
      if (armed && !armed.hasFired) throw new MissedError(`${exercise.name}: it did not come to call ${run.nth} of ${nameOf(run.site)}`);
      return stage;
    } finally {
      if (armed) proxy.disarm(armed);
      stage.close();
    }
  }

  /** Does all, a few young ones at once, and never two at once of those that must be alone. */
  private async all<T extends Exercise | PlannedRun>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
    const young = new Set<Promise<unknown>>();
    const working: Promise<void>[] = [];
    for (const item of items) {
      while (young.size >= AT_ONCE) await Promise.race(young);
      const { alone } = 'exercise' in item ? item.exercise : item;
      const before = alone === undefined ? Promise.resolve() : (this.alone.get(alone) ?? Promise.resolve());
      const done = before.then(() => work(item));
      if (alone !== undefined) this.alone.set(alone, done.catch(() => undefined));
      working.push(done);
      const aged: Promise<unknown> = Promise.race([done.catch(() => undefined), sleep(YOUNG_MS)]).then(() => young.delete(aged));
      young.add(aged);
    }
    await Promise.all(working);
  }
}

/** The exercise did not come to the call at which its fault was to be. */
class MissedError extends Error {
  override readonly name = 'MissedError';
}
