import type { Stream } from './choices.ts';

/** What may become of one call of a port. The order is that of their numbers in a list of choices: add at the end. */
export const CALL_FAULTS = [
  'none',
  /** It is not applied, and its caller is told so, or that nothing is known. */
  'refused',
  /** It is applied, and its caller is told that nothing is known. */
  'lost-answer',
  /** Its caller is told that nothing is known, and it is applied some time after that. */
  'late',
  /** It is applied, its answer is lost, and the client applies it once more: the second answer is told. */
  'repeated',
  /** Of several messages some are sent. */
  'partial',
  /** It takes seconds. */
  'slow',
  /** The invocation ends before it, or after it was applied and before its answer came. */
  'crash-before',
  'crash-after',
  /** From now on the partition that it names refuses for a while. */
  'partition-throttled',
] as const;
export type CallFault = (typeof CALL_FAULTS)[number];

/** Chances that are looked at: of a call, a message, a run, a tick. Times the level that the seed draws for each. */
const CHANCES = {
  refused: 0.01,
  'lost-answer': 0.01,
  late: 0.006,
  repeated: 0.01,
  partial: 0.01,
  slow: 0.01,
  'crash-before': 0.004,
  'crash-after': 0.004,
  'partition-throttled': 0.002,
  'function-throttled': 0.05,
  'registry-stale': 0.2,
  duplicate: 0.04,
  'message-late': 0.05,
  'visibility-over': 0.05,
  'delete-lost': 0.04,
  'stale-receipt': 0.5,
  'start-throttled': 0.06,
  'handler-missing': 0.02,
  'event-age': 0.04,
  'event-lost': 0.03,
  'event-late': 0.08,
  'run-twice': 0.05,
  'run-crashed': 0.05,
  'run-timed-out': 0.04,
  'record-lost': 0.04,
  'record-twice': 0.06,
  'record-late': 0.05,
  'tick-late': 0.2,
  'tick-twice': 0.1,
  'tick-missed': 0.15,
  'index-late': 0.3,
} as const satisfies Record<Exclude<CallFault, 'none'>, number> & Record<string, number>;

/** What strikes by itself: once in a run, or when something is full. */
const OTHERS = [
  'skew',
  'redeploy',
  'type-changed',
  'type-gone',
  'purged',
  'in-flight-full',
  'dead-lettered',
  'timed-out',
  'partition-refused',
  /** A handler crashes each time: with one task, or with all of its type for minutes. */
  'poison',
  'outage',
  /** Tenants get queues of their own and lose them. */
  'routes',
  /** How types are started that choose it is chosen otherwise, again and again. */
  'starts',
  /** Lanes have capacities in common, which control divides. */
  'divides',
  /** Resources have rates, which control divides, and a deployment changes them. */
  'rates',
  'rates-changed',
  /** Submissions pass the gate of admission, and tenants have bounds. */
  'admits',
] as const;

export type Chance = keyof typeof CHANCES;
export type FaultKind = Chance | (typeof OTHERS)[number];
export const FAULT_KINDS: readonly FaultKind[] = [...(Object.keys(CHANCES) as Chance[]), ...OTHERS];

/** How often each fault strikes in one run. Most runs have some kinds often and some never: that finds more than a little of all. */
export interface Profile {
  readonly chances: Readonly<Record<Chance, number>>;
  /** Chances of the faults of a call, by their numbers. */
  readonly callWeights: readonly number[];
  /** Invocations may take four times as long as they are given, and calls up to 45 s: what no time-out of ours may be needed for. */
  readonly patient: boolean;
  readonly inFlightLimit: number;
  readonly maxReceives: number;
  /** ± ms */
  readonly skewMs: number;
  readonly redeploys: boolean;
  readonly purges: boolean;
  readonly poisons: boolean;
  readonly outages: boolean;
  readonly routes: boolean;
  readonly starts: boolean;
  readonly divides: boolean;
  readonly rates: boolean;
  readonly admits: boolean;
}

const LEVELS = [0, 0.3, 1, 3];

/** @param only kinds that may strike; all of them by default */
export function drawProfile(stream: Stream, only?: ReadonlySet<FaultKind>): Profile {
  const may = (kind: FaultKind) => only === undefined || only.has(kind);
  const level = (kind: Chance) => (may(kind) ? CHANCES[kind] * (LEVELS[stream.choose(LEVELS.length, `level of ${kind}`)] ?? 0) : 0);
  const chances = Object.fromEntries(Object.keys(CHANCES).map((kind) => [kind, level(kind as Chance)])) as Record<Chance, number>;
  const sum = CALL_FAULTS.reduce((total, kind) => total + (kind === 'none' ? 0 : chances[kind]), 0);
  return {
    chances,
    callWeights: CALL_FAULTS.map((kind) => (kind === 'none' ? 1 - sum : chances[kind])),
    patient: stream.happens(may('slow') ? 0.3 : 0, 'patient'),
    inFlightLimit: [120_000, 8, 3][may('in-flight-full') ? stream.choose(3, 'in-flight limit', [4, 1, 1]) : 0] ?? 120_000,
    maxReceives: [1_000, 3][may('dead-lettered') ? stream.choose(2, 'max receives', [3, 1]) : 0] ?? 1_000,
    skewMs: may('skew') && stream.happens(0.5, 'skewed clocks') ? 2_000 : 0,
    redeploys: may('redeploy') && stream.happens(0.4, 'redeploy'),
    purges: may('purged') && stream.happens(0.06, 'purge'),
    poisons: may('poison') && stream.happens(0.3, 'poison'),
    outages: may('outage') && stream.happens(0.25, 'outage'),
    routes: may('routes') && stream.happens(0.4, 'routes'),
    starts: may('starts') && stream.happens(0.5, 'starts'),
    divides: may('divides') && stream.happens(0.3, 'divides'),
    rates: may('rates') && stream.happens(0.15, 'rates'),
    admits: may('admits') && stream.happens(0.12, 'admits'),
  };
}
