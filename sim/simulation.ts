import type { TaskTypeSpec } from '@sluice/contracts';
import type { Admission } from '../core/admission/admission.ts';
import type { Sightings } from '../core/breakers/evidence.ts';
import type { RoutingMap } from '../core/ports/routing-store.ts';
import type { RunTally } from '../core/starts/run-tally.ts';
import type { Checks } from './checks/checks.ts';
import type { Stream } from './choices.ts';
import type { Chance, FaultKind, Profile } from './faults.ts';
import type { History } from './history.ts';
import type { Kernel } from './kernel.ts';
import type { FunctionName } from './functions.ts';
import type { SystemPorts } from './ports.ts';
import type { Services } from './services.ts';

/** Memory that invocations of one environment share. */
export interface Environment {
  readonly noted: Map<string, number>;
  readonly sightings: Sightings;
  readonly runTally: RunTally;
  /** ms by which it is late to know how types are started. */
  readonly startsLateMs: number;
  /** What it knows of the routing. */
  readonly map: RoutingMap;
  types: { readonly specs: ReadonlyMap<string, unknown>; readonly readAt: number } | undefined;
  busy: boolean;
  /** Of submit: what it passes by. */
  gate?: () => Admission;
  /** Ends the invocation that it has now. */
  die?: (why: string) => void;
  /** It has ended, with all that it remembered. */
  isGone: boolean;
}

/** One run of the simulation: what its parts share. */
export interface Simulation {
  readonly kernel: Kernel;
  /** ms */
  readonly startedAt: number;
  /** The choices of the whole run. */
  readonly root: Stream;
  readonly profile: Profile;
  readonly services: Services;
  /** The services as invocations get them, with the starter, before any fault. */
  readonly ports: SystemPorts;
  readonly checks: Checks;
  readonly history: History | undefined;
  /** Whose call is applied just now: what it makes has its choices from there. */
  cause: Stream;
  /** No fault strikes any more. */
  calm: boolean;
  readonly struck: Map<FaultKind, number>;
  readonly environments: Map<FunctionName, Environment[]>;
  /** Ends of invocations that are alive, by their names. */
  readonly alive: Map<string, () => void>;
  readonly partitions: Map<string, number>;
  /** Every version of each type that was deployed in this run. */
  readonly specs: ReadonlyMap<string, TaskTypeSpec[]>;
  invocations: number;
}

/** Whether that fault strikes here; if so it is counted. */
export function strikes(sim: Simulation, stream: Stream, kind: Chance): boolean {
  if (sim.calm || !stream.happens(sim.profile.chances[kind], kind)) return false;
  strike(sim, kind);
  return true;
}

export function strike(sim: Simulation, kind: FaultKind): void {
  sim.struck.set(kind, (sim.struck.get(kind) ?? 0) + 1);
}

/** One of these, the first of them the plain one. */
export function oneOf<T>(stream: Stream, what: string, from: readonly [T, ...T[]]): T {
  return from[stream.choose(from.length, what)] ?? from[0];
}
