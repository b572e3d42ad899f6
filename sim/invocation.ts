import type { TaskTypeSpec } from '@sluice/contracts';
import { createSightings } from '../core/breakers/evidence.ts';
import { createRunTally } from '../core/starts/run-tally.ts';
import type { TypeRegistry } from '../core/ports/type-registry.ts';
import { chanceOf } from './chance.ts';
import type { Stream } from './choices.ts';
import { describeAnswer, describeCall } from './describe.ts';
import { CALL_FAULTS, type CallFault } from './faults.ts';
import { TIMEOUT_SECONDS, type FunctionName } from './functions.ts';
import { partitionOf } from './partition.ts';
import { ROUTING_LATE } from './routing-late.ts';
import { STARTS_LATE } from './starts-late.ts';
import { portsThrough, unknownAnswer, type PortCall, type SystemPorts } from './ports.ts';
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

/** ms that the call which starts an attempt may take to arrive: its client gives it up then. */
const START_WITHIN_MS = 10_000;
/** ms that a call of a round of control may take: what its lease is made for. */
const DIVIDE_WITHIN_MS = 16_000;
/** Types are read anew after this, in the background; an unknown one is looked for once a second. */
const TYPES_FRESH_MS = 30_000;
const UNKNOWN_TYPE_MS = 1_000;

/** Ways there and back of a call that nothing happens to, ms. */
const WAYS: readonly (readonly [number, number])[] = [
  [1, 0],
  [2, 0],
  [5, 0],
  [1, 3],
  [20, 0],
  [8, 8],
  [3, 60],
  [100, 20],
];
const WAY_WEIGHTS = [4, 3, 3, 2, 2, 1, 1, 1];

/** What begins a choice of a fault of a call; the function and the call follow. */
export const FAULT_IN = 'fault in ';
/** Of the most that a clock may be off. */
const SKEWS = [0, 0.25, -0.25, 0.5, -0.5, 1, -1] as const;

const NEVER_TWICE: ReadonlySet<string> = new Set(['starter.start', 'timer.sleep', 'types.read']);

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
    sim.history?.add(who, 'ends in the middle', why);
    failed?.(why);
  };
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

interface Caller {
  readonly isAlive: () => boolean;
  readonly die: (why: string) => void;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: unknown) => void;
}

function makeCall(
  sim: Simulation,
  { who, name }: { who: string; name: FunctionName },
  stream: Stream,
  call: PortCall,
  caller: Caller,
): void {
  const { kernel, history } = sim;
  const fault = faultOf(sim, stream, name, call);
  const told = (what: string, f: string | undefined = fault === 'none' ? undefined : fault) =>
    history?.add(who, `${describeCall(call)}${what}`, f);
  const [there, back] = WAYS[stream.choose(WAYS.length, 'way', WAY_WEIGHTS)] ?? [1, 0];
  if (call.at === 'timer.sleep') return void kernel.after(call.args[0] as number, () => caller.isAlive() && caller.resolve(undefined));

  const answer = (value: unknown) => caller.isAlive() && caller.resolve(value);
  const unknown = () => {
    if (!caller.isAlive()) return;
    try {
      caller.resolve(unknownAnswer(call));
    } catch (error) {
      caller.reject(error);
    }
  };
  /** Makes the call now; a partition that is throttled refuses it. */
  const apply = (then: (value: unknown) => void, what = ''): void => {
    const partition = partitionOf(call);
    if (partition !== undefined && (sim.partitions.get(partition) ?? 0) > kernel.now()) {
      strike(sim, 'partition-refused');
      told(' is refused', 'partition-refused');
      return unknown();
    }
    sim.cause = stream;
    call.apply().then(
      (value) => {
        told(`${describeAnswer(call.at, value)}${what}`);
        then(value);
      },
      (error: unknown) => {
        told(` fails: ${String(error)}`);
        if (caller.isAlive()) caller.reject(error);
      },
    );
  };
  const wait = (what: string, ...from: [number, ...number[]]) => within(call, oneOf(stream, what, from));

  switch (fault) {
    case 'none':
      return void kernel.after(there, () => apply((value) => (back === 0 ? answer(value) : kernel.after(back, () => answer(value)))));
    case 'partition-throttled': {
      const partition = partitionOf(call) ?? '';
      sim.partitions.set(partition, kernel.now() + oneOf(stream, 'for', [1_000, 10_000, 60_000]));
      return void kernel.after(there, () => apply(answer));
    }
    case 'refused':
      told(' is not applied');
      return void kernel.after(wait('until', 1, 1_000, 15_000), unknown);
    case 'lost-answer':
      kernel.after(there, () => apply(() => {}, ', which nobody hears'));
      return void kernel.after(there + wait('until', 1, 5_000, 15_000), unknown);
    case 'late': {
      const until = wait('until', 1, 5_000, 15_000);
      kernel.after(until, unknown);
      return void kernel.after(within(call, until + oneOf(stream, 'late', [1, 100, 1_000, 8_000])), () => apply(() => {}, ', late'));
    }
    case 'repeated':
      kernel.after(there, () => apply(() => {}, ', which nobody hears'));
      return void kernel.after(there + oneOf(stream, 'again', [50, 1_000, 5_000]), () => apply(answer, ', once more'));
    case 'partial': {
      const sends = call.args[0] as unknown[];
      const sent = sends.map((_, i) => stream.choose(2, `send ${i}`) === 0);
      const some = { ...call, args: [sends.filter((_, i) => sent[i])] };
      return void kernel.after(there, () => {
        sim.cause = stream;
        void sim.ports.queue.send(some.args[0] as never);
        told(` sends ${sent.filter(Boolean).length} of ${sends.length}`);
        answer(sent);
      });
    }
    case 'slow': {
      const ms = sim.profile.patient ? wait('slowly', 1_000, 5_000, 15_000, 45_000) : wait('slowly', 1_000, 5_000, 15_000);
      const after = stream.choose(2, 'slow answer') === 1;
      return void kernel.after(after ? there : ms, () => apply((value) => kernel.after(after ? ms : back, () => answer(value))));
    }
    case 'crash-before':
      return void kernel.after(there, () => {
        if (!caller.isAlive()) return;
        told(' is never made');
        caller.die('crash');
      });
    case 'crash-after':
      return void kernel.after(there, () => {
        apply(() => {});
        caller.die('crash');
      });
  }
}

/** The call that starts an attempt, and those that divide, arrive within their client's time-out, or not at all. */
function within({ at }: PortCall, ms: number): number {
  if (at === 'starter.start') return Math.min(ms, START_WITHIN_MS - 1);
  return at === 'permits.setShare' || at.startsWith('divisions.') ? Math.min(ms, DIVIDE_WITHIN_MS - 1) : ms;
}

function faultOf(sim: Simulation, stream: Stream, name: FunctionName, call: PortCall): CallFault {
  if (sim.calm) return 'none';
  const fault = CALL_FAULTS[stream.choose(CALL_FAULTS.length, `${FAULT_IN}${name}: ${call.at}`, sim.profile.callWeights)] ?? 'none';
  if (fault === 'none') return fault;
  const crash = fault === 'crash-before' || fault === 'crash-after';
  if (NEVER_TWICE.has(call.at) && !crash && (call.at !== 'starter.start' || fault === 'repeated')) return 'none';
  if (call.at === 'timer.sleep') return 'none';
  if (fault === 'partial' && (call.at !== 'queue.send' || (call.args[0] as unknown[]).length < 2)) return 'none';
  if (fault === 'partition-throttled' && partitionOf(call) === undefined) return 'none';
  strike(sim, fault);
  return fault;
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
  const fresh: Environment = { ...memory, startsLateMs, map, types: undefined, busy: true };
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
