import { createRedrive } from '../core/redrive/operate.ts';
import { pauseSchedule, putSchedule, resumeSchedule } from '../core/schedules/manage.ts';
import { chanceOf } from './chance.ts';
import type { Stream } from './choices.ts';
import { invoke } from './invocation.ts';
import type { Ports } from './ports.ts';
import { oneOf, type Simulation } from './simulation.ts';

/** Waits of a client before it makes a call again that failed, ms. */
const CLIENT_WAITS = [500, 4_000];
/** Times of a schedule end so long after the beginning, ms: what it fires is done with the rest. */
const SCHEDULE_ENDS_MS = 420_000;
const EVERY_SECONDS = [60, 30, 45] as const;
const OVERLAPS = ['allow', 'allow', 'skip', 'buffer', 'cancel'] as const;

export function later(sim: Simulation, turn: number, run: () => void): void {
  const wait = CLIENT_WAITS[turn];
  if (wait !== undefined) sim.kernel.after(wait, run);
}

interface Call {
  readonly name: 'schedules' | 'redrives';
  readonly about: string;
  readonly run: (ports: Ports) => Promise<unknown>;
}

/** A client's call, made again while it fails. */
export function call(sim: Simulation, stream: Stream, { name, about, run }: Call, turn = 0): void {
  const again = () => later(sim, turn, () => call(sim, stream, { name, about, run }, turn + 1));
  invoke(sim, { name, stream: stream.fork('turn', turn), about, run, failed: again });
}

/** Schedules and redrives of some tenants, in some runs. */
export function startOthers(sim: Simulation, tenants: readonly [string, ...string[]], types: readonly [string, ...string[]]): void {
  for (const n of [0, 1]) {
    const stream = sim.root.fork('schedule', n);
    if (stream.happens(n === 0 ? 0.4 : 0.15, 'schedule')) schedule(sim, stream, oneOf(stream, 'tenant', tenants), `every-${n}`, types);
  }
  const stream = sim.root.fork('redrive');
  if (!stream.happens(0.4, 'redrive')) return;
  const tenant = oneOf(stream, 'tenant', tenants);
  sim.kernel.after(60_000 + stream.choose(230, 'at') * 1_000, () => redrive(sim, stream, tenant, types));
}

/** A schedule, which may be paused and resumed. All that it misses runs. */
function schedule(sim: Simulation, stream: Stream, tenant: string, name: string, types: readonly [string, ...string[]]): void {
  const input = {
    everySeconds: oneOf(stream, 'every', EVERY_SECONDS),
    end: new Date(sim.startedAt + SCHEDULE_ENDS_MS).toISOString(),
    overlap: oneOf(stream, 'overlap', OVERLAPS),
    misfire: { policy: 'all', max: 100 },
    task: { type: oneOf(stream, 'type', types) },
  };
  const at = 1_000 + stream.choose(120, 'at') * 1_000;
  const own = (what: string, after: number, run: (ports: Ports) => Promise<unknown>) =>
    sim.kernel.after(after, () => call(sim, stream.fork(what), { name: 'schedules', about: `${what} ${tenant}/${name}`, run }));
  own('puts', at, (ports) => putSchedule(ports, tenant, name, input));
  if (!stream.happens(0.5, 'pause')) return;
  const pause = at + 5_000 + stream.choose(100, 'pause at') * 1_000;
  own('pauses', pause, (ports) => pauseSchedule(ports, tenant, name));
  own('resumes', pause + 5_000 + stream.choose(150, 'resume after') * 1_000, (ports) => resumeSchedule(ports, tenant, name));
}

/** All that has failed, or all of one type. */
export function redrive(sim: Simulation, stream: Stream, tenant: string, types: readonly [string, ...string[]]): void {
  const id = chanceOf(stream).ulid(sim.kernel.now());
  const filter = stream.choose(2, 'filter') === 1 ? { type: oneOf(stream, 'type', types) } : {};
  const ratePerSecond = oneOf(stream, 'rate', [50, 1]);
  const run = (ports: Ports) => createRedrive(ports, tenant, { id, filter, ratePerSecond });
  call(sim, stream, { name: 'redrives', about: `${tenant} ${JSON.stringify(filter)}`, run });
}
