import { setTimeout as sleep } from 'node:timers/promises';
import pLimit, { type LimitFunction } from 'p-limit';
import type { Exercise } from './exercises/exercise.ts';
import type { PlannedRun, Place, Recording } from './plan.ts';
import type { FaultKind } from './proxy/kinds.ts';
import type { ArmedRule } from './proxy/rules.ts';
import type { CallSite } from './sites/scan.ts';
import { Stage } from './world/stage.ts';
import type { World } from './world/world.ts';

/** Runs that are young at once: an older one mostly waits for a message or a lease. */
const AT_ONCE = 12;
const YOUNG_MS = 8_000;
/**
 * A function that works for all in rounds of several steps: a fault costs all of them the step, and each needs some that are
 * whole. So only a few of the runs of each step are at work at once, however old.
 */
const IN_ROUNDS = { fn: 'control', ofStep: 6 };
/**
 * While services take longer than this for an answer on average, ms, and runs are at work, none is begun: a machine that is
 * too busy makes faults of its own, and more than one at a time.
 */
const CROWDED_MS = 150;
const LOOK_AGAIN_MS = 100;
/**
 * A fault that has not come by the end of its exercise may come with what is left to do, and one of no exercise in
 * particular by the next refresh of what a process knows.
 */
const AFTERWARDS_MS = { named: 5_000, nameless: 70_000 };
/** Places that are tried for one fault: things may go in another order and avoid some. */
const MOST_PLACES = 6;
/** ms after which an exercise has not ended: what it waits for never comes. */
const LONGEST_MS = 600_000;
/** The call site that a process comes to when it is cold. */
const COLD = 'TypeRegistry';
/** Those that are read for all, by whoever comes first: any exercise of the function comes to them. */
const READ_FOR_ALL = [COLD, 'RoutingMap'];

export interface RunResult {
  readonly run: PlannedRun;
  readonly error: string | undefined;
  readonly seconds: number;
}

/** Runs exercises, many side by side, each with a tenant of its own. */
export class Runner {
  private readonly world: World;
  /** By the word of those that are alone: the end of the latest of them, and the ends of those that are not to run beside it. */
  private readonly alone = new Map<string, Promise<unknown>>();
  private readonly beside = new Map<string, Promise<unknown>[]>();
  private readonly steps = new Map<string, LimitFunction>();
  private tenants = 0;
  private readonly working = new Set<{ readonly exercise: Exercise; readonly began: number }>();

  constructor(world: World) {
    this.world = world;
  }

  /** What has been at work longest, for whoever waits, but for what takes long: the exercise, and for how many seconds. */
  get oldest(): string {
    const first = [...this.working].find(({ exercise }) => !exercise.slow);
    return first === undefined
      ? 'nothing is at work'
      : `${Math.round((performance.now() - first.began) / 1_000)} s: ${first.exercise.name}`;
  }

  /** Runs exercises without a fault, to see which call sites they come to. */
  async record(exercises: readonly Exercise[], onFailure: (exercise: Exercise, error: string) => void): Promise<Recording[]> {
    const { sightings } = this.world;
    const recordings: Recording[] = [];
    const cold = new Set<string>();
    for (const exercise of exercises) {
      const { ticks = [], calls = [] } = exercise;
      if (!isNamelessOne(exercise)) continue;
      for (const fn of ticks) if (!cold.has(fn)) sightings.kill(fn);
      for (const fn of ticks) cold.add(fn);
      sightings.takeNameless();
      const stage = await this.perform(exercise).catch((error: unknown) => onFailure(exercise, messageOf(error)));
      if (!stage) continue;
      const nameless = [...sightings.takeNameless()].filter(
        ([site]) =>
          site.includes(exercise.of ?? '') &&
          (ticks.some((fn) => site.startsWith(`${fn}:`)) ||
            ((exercise.of !== undefined || !isReadForAll(site)) && calls.some((fn) => site.startsWith(`${fn}:`)))),
      );
      recordings.push({ exercise, named: namedBy(stage), nameless: new Map(nameless), ownFaults: stage.ownFaults });
    }
    const others = exercises.filter((exercise) => !isNamelessOne(exercise));
    await this.all(others, async (exercise) => {
      const stage = await this.perform(exercise).catch((error: unknown) => onFailure(exercise, messageOf(error)));
      if (stage) recordings.push({ exercise, named: namedBy(stage), nameless: new Map(), ownFaults: stage.ownFaults });
    });
    return recordings.map((recording) => (recording.exercise === others[0] ? { ...recording, nameless: this.readsForAll() } : recording));
  }

  /** What a process reads for all names nobody; any exercise comes to it. */
  private readsForAll(): ReadonlyMap<string, number> {
    return new Map([...this.world.sightings.sites].filter(isReadForAll).map((site) => [site, 1]));
  }

  /** Runs with their faults, those first that take long or must be alone, and those last that others are not to run beside. */
  async run(runs: readonly PlannedRun[], onResult: (result: RunResult) => void): Promise<void> {
    const long = ({ site, kind, place }: PlannedRun): boolean =>
      place.exercise.slow === true || (site.fn === 'dispatch' && (kind === 'unanswered' || kind.startsWith('kill')));
    const words = new Set(runs.flatMap(({ place }) => place.exercise.notBeside ?? []));
    const order = (run: PlannedRun): number => {
      const { alone } = run.place.exercise;
      if (alone !== undefined) return words.has(alone) ? 1 : -2;
      return long(run) ? -1 : 0;
    };
    await this.all(
      [...runs].sort((a, b) => order(a) - order(b)),
      (run) =>
        this.ofStep(run)(async () => {
          const began = performance.now();
          const error = await this.attempt(run);
          onResult({ run, error, seconds: Math.round((performance.now() - began) / 100) / 10 });
        }),
    );
  }

  /** What lets few of a step of rounds be at work at once, and all else. */
  private ofStep({ site: { fn, port } }: PlannedRun): LimitFunction {
    const step = fn === IN_ROUNDS.fn ? port.split('/').slice(0, 2).join('/') : '';
    const limit = this.steps.get(step) ?? pLimit(step === '' ? Infinity : IN_ROUNDS.ofStep);
    this.steps.set(step, limit);
    return limit;
  }

  /** @returns what did not hold */
  private async attempt({ site, kind, place, others }: PlannedRun): Promise<string | undefined> {
    // Where there are few, each is tried again.
    const places = Array.from({ length: MOST_PLACES }, () => [place, ...others]).flat();
    let missed = '';
    for (const each of places.slice(0, MOST_PLACES)) {
      try {
        await this.perform(each.exercise, { site, kind, place: each });
        return undefined;
      } catch (error) {
        if (!(error instanceof MissedError)) return `${each.exercise.name}, call ${each.nth}: ${messageOf(error)}`;
        missed = error.message;
      }
    }
    return missed;
  }

  /** One exercise from its first call to the last thing that must hold. */
  private async perform(exercise: Exercise, fault?: { site: CallSite; kind: FaultKind; place: Place }): Promise<Stage> {
    this.tenants += 1;
    const stage = await Stage.open(this.world, `f${String(this.tenants).padStart(5, '0')}x`);
    const armed = fault && this.arm(stage, fault);
    const work = { exercise, began: performance.now() };
    this.working.add(work);
    try {
      await inTime(exercise.run(stage));
      await stage.permitsReturned();
      if (armed && !armed.hasFired) {
        await Promise.race([
          armed.whenFired(),
          sleep(AFTERWARDS_MS[fault.place.nameless ? 'nameless' : 'named'], undefined, { ref: false }),
        ]);
        if (!armed.hasFired) throw new MissedError(`${exercise.name}: it did not come to call ${fault.place.nth}`);
        await stage.permitsReturned();
      }
      return stage;
    } finally {
      this.working.delete(work);
      if (armed) this.world.proxy.disarm(armed);
      await stage.close();
    }
  }

  private arm(stage: Stage, { site, kind, place: { nth, nameless } }: { site: CallSite; kind: FaultKind; place: Place }): ArmedRule {
    const armed = this.world.proxy.arm({ ...site, kind, nth, ...(!nameless && { about: stage.names }) });
    if (site.port === COLD) this.world.sightings.kill(site.fn);
    return armed;
  }

  /** Does all, a few young ones at once, and never two at once of those that must be alone. */
  private async all<T extends Exercise | PlannedRun>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
    const young = new Set<Promise<unknown>>();
    const working: Promise<void>[] = [];
    for (const item of items) {
      while (young.size >= AT_ONCE) await Promise.race(young);
      while (this.working.size > 0 && this.world.proxy.latencyMs > CROWDED_MS) await sleep(LOOK_AGAIN_MS);
      const done = this.inTurn('place' in item ? item.place.exercise : item, () => work(item));
      working.push(done);
      const aged: Promise<unknown> = Promise.race([done.catch(() => undefined), sleep(YOUNG_MS)]).then(() => young.delete(aged));
      young.add(aged);
    }
    await Promise.all(working);
  }

  private inTurn({ alone, notBeside }: Exercise, work: () => Promise<void>): Promise<void> {
    const before = [alone, notBeside].flatMap((word) => this.alone.get(word ?? '') ?? []);
    if (alone !== undefined) before.push(...(this.beside.get(alone) ?? []));
    const done = Promise.all(before).then(work);
    const ended = done.catch(() => undefined);
    if (alone !== undefined) {
      this.alone.set(alone, ended);
      this.beside.delete(alone);
    }
    if (notBeside !== undefined) this.beside.set(notBeside, [...(this.beside.get(notBeside) ?? []), ended]);
    return done;
  }
}

/** The exercise did not come to the call at which its fault was to be. */
class MissedError extends Error {
  override readonly name = 'MissedError';
}

async function inTime(running: Promise<void>): Promise<void> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`it has not ended after ${LONGEST_MS / 1_000} s`)), LONGEST_MS);
  await Promise.race([running, late]).finally(() => clearTimeout(timer));
}

/** Whether it has calls that name nobody. */
function isNamelessOne({ ticks, calls }: Exercise): boolean {
  return ticks !== undefined || calls !== undefined;
}

/** What is read for all names whoever reads it by chance. */
function namedBy(stage: Stage): ReadonlyMap<string, number> {
  return new Map([...stage.watch.counts()].filter(([site]) => !isReadForAll(site)));
}

function isReadForAll(site: string): boolean {
  return READ_FOR_ALL.some((name) => site.includes(`: ${name} `));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
