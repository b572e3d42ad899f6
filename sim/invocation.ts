import type { TaskTypeSpec } from '@sluice/contracts';
import { createSightings } from '../core/breakers/evidence.ts';
import { createRunTally } from '../core/starts/run-tally.ts';
import type { TypeRegistry } from '../core/ports/type-registry.ts';
import { makeCall } from './calls.ts';
import { chanceOf } from './chance.ts';
import type { Stream } from './choices.ts';
import { describeAnswer } from './describe.ts';
import { createGate } from './gate.ts';
import { TIMEOUT_SECONDS, type FunctionName } from './functions.ts';
import { ROUTING_LATE } from './routing-late.ts';
import { STARTS_LATE } from './starts-late.ts';
import { portsThrough, type PortCall, type SystemPorts } from './ports.ts';
import { oneOf, strike, strikes, type Environment, type Simulation } from './simulation.ts';

export interface Start<T> {
  readonly name: FunctionName;
  /** What its choices depend on. */
  readonly stream: Stream;
  readonly run: (ports: SystemPorts, environment: Environment) => Promise<T>;
  /** What it was called with, for the history. */
  readonly about: string;
  readonly done?: (answer: T) => void;
  /** It threw, ran out of time, or ended in the middle. */
  readonly failed?: (why: string) => void;
}

/** Types are read anew after this, in the background; an unknown one is looked for once a second. */
const TYPES_FRESH_MS = 30_000;
const UNKNOWN_TYPE_MS = 1_000;

/** Of the most that a clock may be off. */
const SKEWS = [0, 0.25, -0.25, 0.5, -0.5, 1, -1] as const;

/** Runs a function as an invocation of its own. What it calls is applied later, or fails, or is its last. */
export function invoke<T>(sim: Simulation, { name, stream, run, about, done, failed }: Start<T>): void {
  const who = `${name} ${++sim.invocations}`;
  const environment = environmentOf(sim, name, stream);
  const skewMs = sim.calm || sim.profile.skewMs === 0 ? 0 : oneOf(stream, 'skew', SKEWS) * sim.profile.skewMs;
  if (skewMs !== 0) strike(sim, 'skew');
  let calls = 0;
  let alive = true;
  const end = (): boolean => {
    if (!alive) return false;
    alive = false;
    environment.busy = false;
    sim.alive.delete(who);
    return true;
  };
  const die = (why: string): void => {
    if (!end()) return;
    // What has died is not used again.
    const pool = sim.environments.get(name) ?? [];
    const place = pool.indexOf(environment);
    if (place >= 0) pool.splice(place, 1);
    environment.isGone = true;
    sim.history?.add(who, 'ends in the middle', why);
    failed?.(why);
  };
  environment.die = die;
  if (sim.profile.admits && name === 'submit') environment.gate ??= once(() => createGate(sim, environment, stream.fork('gate'), skewMs));
  sim.alive.set(who, () => die('redeploy'));
  sim.history?.add(who, `begins: ${about}${skewMs === 0 ? '' : `, its clock ${skewMs > 0 ? '+' : ''}${skewMs} ms`}`);
  sim.kernel.after(TIMEOUT_SECONDS[name] * 1000 * (sim.profile.patient && name !== 'system' ? 4 : 1), () => {
    if (!alive) return;
    strike(sim, 'timed-out');
    die('timed-out');
  });

  const onCall = (call: PortCall): Promise<unknown> =>
    new Promise((resolve, reject) => {
      if (!alive) return;
      makeCall(sim, { who, name }, stream.fork('call', calls++), call, { isAlive: () => alive, die, resolve, reject });
    });
  const clock = { now: () => sim.kernel.now() + skewMs };
  const types = registryOf(sim, environment, stream, onCall);
  const { sightings, runTally } = environment;
  const through = portsThrough({ ...sim.ports, types: undefined as never }, onCall);
  const ports: SystemPorts = {
    ...through,
    types,
    clock,
    random: chanceOf(stream),
    sightings,
    runTally,
    // It comes with the task types, and is as late.
    starts: { ...through.starts, ...sim.services.starts.knownLate(environment.startsLateMs) },
    ...(sim.profile.routes && { routing: { ...sim.ports.routing, map: environment.map } }),
    attemptsUrl: 'https://sluice.invalid/attempt',
  };
  run(ports, environment).then(
    (answer) => {
      if (!end()) return;
      sim.history?.add(who, `is done${describeAnswer('', answer)}`);
      done?.(answer);
    },
    (error: unknown) => {
      if (!end()) return;
      const why = error instanceof Error ? error.message : String(error);
      sim.history?.add(who, `fails: ${why}`);
      failed?.(why);
    },
  );
}

function environmentOf(sim: Simulation, name: FunctionName, stream: Stream): Environment {
  const pool = sim.environments.get(name) ?? [];
  sim.environments.set(name, pool);
  const idle = pool.find((environment) => !environment.busy);
  if (idle) {
    idle.busy = true;
    return idle;
  }
  const map = sim.services.routingMap(sim.profile.routes && !sim.calm ? oneOf(stream, 'knows the routing late by', ROUTING_LATE) : 0);
  const startsLateMs = sim.profile.starts && !sim.calm ? oneOf(stream, 'knows the starts late by', STARTS_LATE) : 0;
  const memory = { noted: new Map<string, number>(), sightings: createSightings(), runTally: createRunTally() };
  const fresh: Environment = { ...memory, startsLateMs, map, types: undefined, busy: true, isGone: false };
  pool.push(fresh);
  return fresh;
}

/** As the registry in the table does it: what is known is answered at once and read anew behind its caller's back. */
function registryOf(sim: Simulation, env: Environment, stream: Stream, onCall: (call: PortCall) => Promise<unknown>): TypeRegistry {
  const { types } = sim.services;
  const readNow = async (): Promise<Map<string, TaskTypeSpec>> => {
    const readAt = sim.kernel.now();
    const names = await types.names();
    const found = await Promise.all(names.map((name) => types.get(name)));
    const specs = new Map(found.flatMap((spec) => (spec ? [[spec.type, spec] as const] : [])));
    env.types = { specs, readAt };
    return specs;
  };
  const read = () => onCall({ at: 'types.read', args: [], apply: readNow }) as Promise<Map<string, TaskTypeSpec>>;
  const current = async (): Promise<ReadonlyMap<string, TaskTypeSpec>> => {
    if (!env.types) return read();
    if (sim.kernel.now() - env.types.readAt >= TYPES_FRESH_MS && !strikes(sim, stream, 'registry-stale'))
      sim.kernel.after(10, () => void readNow());
    return env.types.specs as ReadonlyMap<string, TaskTypeSpec>;
  };
  return {
    get: async (type) => {
      const found = (await current()).get(type);
      if (found || sim.kernel.now() - (env.types?.readAt ?? 0) < UNKNOWN_TYPE_MS) return found;
      return (await read()).get(type);
    },
    names: async () => [...(await current()).keys()].sort(),
  };
}

function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}
