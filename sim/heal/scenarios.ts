import { redrive, call } from '../clients.ts';
import { audit, type FunctionName } from '../functions.ts';
import { invoke } from '../invocation.ts';
import { pauseSchedule, putSchedule, resumeSchedule } from '../../core/schedules/manage.ts';
import type { Ports } from '../ports.ts';
import type { RunOptions } from '../run.ts';
import type { Simulation } from '../simulation.ts';
import { purgeAll } from '../upheavals.ts';
import { cancel, retry, submit, TOLD } from '../workload.ts';

/** A run without faults, in which functions are crashed. */
export interface Scenario {
  readonly options: Pick<RunOptions, 'faultsMs' | 'profile'> & { readonly workload: (sim: Simulation) => void };
  /** What is chosen otherwise than plainly, so much later than the beginning. */
  readonly choose?: (what: string, elapsedMs: number) => number | undefined;
}

/** Where a function's crashes are measured. */
export interface Measured {
  readonly scenario: Scenario;
  /** ms from the beginning: crashes before that change nothing. @default 0 */
  readonly from?: number;
}

/** A function that is not measured, and why. */
export interface LeftOut {
  readonly leftOut: string;
}

const SECOND = 1_000;
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
/** What choices mean that are not plain: a run of 10 s, one that fails for good, a queue that seems busy. */
const [TAKES_LONG, FAILS_FOR_GOOD, SEEMS_BUSY] = [3, 3, 1];

/** A lane that fills and drains, both starters, a task in a bucket, and one that is cancelled and retried. */
const EVERYTHING: Scenario = {
  options: {
    faultsMs: 30 * MINUTE,
    workload: (sim) => {
      const stream = sim.root.fork('scenario');
      const batch = [
        ...Array.from({ length: 6 }, (_, n) => ({ type: 'narrow', id: `narrow-${n}` })),
        { type: 'short', id: 'short' },
        { type: 'wide', id: 'in-a-bucket', delaySeconds: 16 * 60 },
        { type: 'wide', id: 'changed', delaySeconds: 60 },
      ];
      sim.kernel.after(SECOND, () => submit(sim, stream.fork('submit'), 'a', batch));
      sim.kernel.after(5 * SECOND, () => cancel(sim, stream.fork('cancel'), 'a', 'changed'));
      sim.kernel.after(20 * SECOND, () => retry(sim, stream.fork('retry'), 'a', 'changed'));
    },
  },
};
/** The ticks that move the hint of the task in a bucket. */
const MOVES_FROM = 13 * MINUTE;

/**
 * A schedule with occurrences that are each fired by a task of the platform, which is paused past one of them, and a task whose
 * end is told by two more.
 */
const FIRED_AND_TOLD: Scenario = {
  options: {
    faultsMs: 10 * MINUTE,
    workload: (sim) => {
      const stream = sim.root.fork('scenario');
      const at = (seconds: number): string => new Date(sim.startedAt + seconds * SECOND).toISOString();
      const input = { everySeconds: 30, start: at(10), end: at(105), misfire: { policy: 'all', max: 10 }, task: { type: 'wide' } };
      const own = (what: string, after: number, run: (ports: Ports) => Promise<unknown>): void =>
        sim.kernel.after(after, () => call(sim, stream.fork(what), { name: 'schedules', about: `${what} a/every`, run }));
      sim.kernel.after(SECOND, () => submit(sim, stream.fork('submit'), 'a', [{ type: 'wide', id: 'told', notify: TOLD }]));
      own('schedule', SECOND, (ports) => putSchedule(ports, 'a', 'every', input));
      own('pause', 50 * SECOND, (ports) => pauseSchedule(ports, 'a', 'every'));
      own('resume', 75 * SECOND, (ports) => resumeSchedule(ports, 'a', 'every'));
    },
  },
};

/** Tasks that have failed for good are redriven. */
const REDRIVEN: Scenario = {
  options: {
    faultsMs: 10 * MINUTE,
    workload: (sim) => {
      const stream = sim.root.fork('scenario');
      const batch = Array.from({ length: 3 }, (_, n) => ({ type: 'wide', id: `dead-${n}` }));
      sim.kernel.after(SECOND, () => submit(sim, stream.fork('submit'), 'a', batch));
      sim.kernel.after(30 * SECOND, () => redrive(sim, stream.fork('redrive'), 'a', ['wide']));
    },
  },
  choose: (what, elapsed) => (what === 'ends' && elapsed < 20 * SECOND ? FAILS_FOR_GOOD : undefined),
};

/** A lane is full of low tasks when high ones come: its attempts ask whether they shall go on. */
const PREEMPTED: Scenario = {
  options: {
    faultsMs: 5 * MINUTE,
    workload: (sim) => {
      const stream = sim.root.fork('scenario');
      const batch = (priority: string, count: number) =>
        Array.from({ length: count }, (_, n) => ({ type: 'narrow', id: `${priority}-${n}`, priority }));
      sim.kernel.after(SECOND, () => submit(sim, stream.fork('low'), 'a', batch('low', 3)));
      sim.kernel.after(2 * SECOND, () => submit(sim, stream.fork('high'), 'a', batch('high', 2)));
    },
  },
  choose: (what) => (what === 'takes' ? TAKES_LONG : undefined),
};

/** Two tenants have more tasks of a type with a capacity than there is of it. */
const DIVIDED: Scenario = {
  options: {
    faultsMs: 3 * MINUTE,
    profile: { divides: true },
    workload: (sim) => {
      const stream = sim.root.fork('scenario');
      for (const tenant of ['a', 'b']) {
        const batch = Array.from({ length: 3 }, (_, n) => ({ type: 'shared', id: `own-${n}` }));
        sim.kernel.after(SECOND, () => submit(sim, stream.fork(tenant), tenant, batch));
      }
    },
  },
  choose: (what) => (what === 'takes' ? TAKES_LONG : undefined),
};

/** One tenant's queues are about to be closed, another's fall idle and are drained, and a third seems to need some. */
const ROUTED: Scenario = {
  options: {
    faultsMs: 30 * MINUTE,
    profile: { routes: true },
    workload: (sim) => {
      const stream = sim.root.fork('scenario');
      for (const minute of [0, 4, 8]) {
        for (const tenant of ['a', 'b', 'c']) {
          const batch = [0, 600].map((delaySeconds) => ({ type: 'wide', id: `at-${minute}-in-${delaySeconds}`, delaySeconds }));
          sim.kernel.after(SECOND + minute * MINUTE, () => submit(sim, stream.fork(tenant, minute), tenant, batch));
        }
      }
    },
  },
  choose: (what, elapsed) => (what === 'seems busy' && elapsed > 4 * MINUTE && elapsed < 6 * MINUTE ? SEEMS_BUSY : undefined),
};

/** How types are started is chosen by what was measured of them, while tasks of them come. */
const CHOSEN: Scenario = {
  options: {
    faultsMs: 10 * MINUTE,
    profile: { starts: true },
    workload: (sim) => {
      const stream = sim.root.fork('scenario');
      for (let n = 0; n < 12; n++) {
        const batch = ['wide', 'single'].map((type) => ({ type, id: `${type}-${n}` }));
        sim.kernel.after(SECOND + n * 20 * SECOND, () => submit(sim, stream.fork('submit', n), 'a', batch));
      }
    },
  },
};

/** Queues are purged, and the audit finds what they held; it comes every day. */
const PURGED: Scenario = {
  options: {
    faultsMs: DAY + 60 * MINUTE,
    workload: (sim) => {
      const stream = sim.root.fork('scenario');
      const batch = Array.from({ length: 3 }, (_, n) => ({ type: 'wide', id: `purged-${n}`, delaySeconds: 60 }));
      sim.kernel.after(SECOND, () => submit(sim, stream.fork('submit'), 'a', batch));
      sim.kernel.after(30 * SECOND, () => purgeAll(sim));
      for (const day of [0, 1]) {
        const run = (ports: Ports) => audit(ports, 10 * MINUTE);
        sim.kernel.after(20 * MINUTE + day * DAY, () =>
          invoke(sim, { name: 'audit', stream: stream.fork('audit', day), about: `day ${day}`, run }),
        );
      }
    },
  },
};

/** Every function of the platform: where its crashes are measured, or why they are not. */
export const HEALING: Readonly<Record<FunctionName, Measured | LeftOut>> = {
  submit: { scenario: EVERYTHING },
  dispatch: { scenario: EVERYTHING },
  settle: { scenario: EVERYTHING },
  timers: { scenario: EVERYTHING, from: MOVES_FROM },
  cancel: { scenario: EVERYTHING },
  retry: { scenario: EVERYTHING },
  list: { leftOut: 'it reads, and no task waits for what it answers' },
  schedules: { scenario: FIRED_AND_TOLD },
  system: { scenario: FIRED_AND_TOLD },
  redrives: { scenario: REDRIVEN },
  attempt: { scenario: PREEMPTED },
  control: { scenario: DIVIDED },
  routing: { scenario: ROUTED },
  starts: { scenario: CHOSEN },
  audit: { scenario: PURGED },
};
