import { SYSTEM_TYPES, systemId, type TaskRow } from '@sluice/contracts';
import { minuteOf } from '../core/hints/timing.ts';
import type { WriteResult } from '../core/ports/task-store.ts';
import { createMemoryDeadList, createMemoryMessages, createMemoryTaskList } from '../adapters/memory/index.ts';
import { startAdmission } from './admission.ts';
import { DIVIDED_TYPES } from './capacities.ts';
import { CROWDED } from './crowd.ts';
import { chanceOf } from './chance.ts';
import { createChecks, nameOf, type Violation } from './checks/checks.ts';
import { seenIn, type Seen } from './checks/seen.ts';
import { checkEnd } from './checks/finish.ts';
import { Stream, type ChoiceSource } from './choices.ts';
import { startControl } from './control.ts';
import { startDivision } from './division.ts';
import { feedDispatch, feedSettle } from './event-source.ts';
import { drawProfile, type FaultKind, type Profile } from './faults.ts';
import { audit } from './functions.ts';
import { createHistory } from './history.ts';
import { invoke } from './invocation.ts';
import { createKernel } from './kernel.ts';
import { createLambda } from './lambda.ts';
import { createLateRows, INDEX_LATE_MS } from './late-rows.ts';
import { observed } from './observed.ts';
import type { Ports, SystemPorts } from './ports.ts';
import { startRated } from './rated.ts';
import { RATED_TYPES } from './rated-types.ts';
import { inventedWatch, ROUTING_SETTINGS, startRouting, watchedDedicated } from './routing.ts';
import { startSchedule } from './schedule.ts';
import { createServices } from './services.ts';
import { strike, type Simulation } from './simulation.ts';
import { START_RULES, startStarts } from './starts.ts';
import { startUpheavals } from './upheavals.ts';
import { answerOfReceiver, NOTIFY_RULES, storeSecrets, SYSTEM_SPECS } from './system-tasks.ts';
import { startWorkload, TENANTS, TYPES } from './workload.ts';

export const START = Date.UTC(2026, 0, 1);
const MINUTE = 60_000;
/** Faults strike for so long, ms; clients make their calls in the first part of it. */
const FAULTS_MS = 5 * MINUTE;
/**
 * The bound of liveness, ms from when the faults stop: what was delayed by 25 minutes when it was submitted has come,
 * three leases may have been lost, and what was throttled has waited.
 */
export const DONE_WITHIN_MS = 60 * MINUTE;
/** After that every lease is over and every note of a lane may be taken away, ms. */
const AFTER_MS = 15 * MINUTE;
/** What dispatch knows of breakers is read in the background. */
const BREAKERS_LATE_MS = 5_000;
const AUDIT_OLDER_MS = 30 * MINUTE;

export interface RunOptions {
  readonly source: ChoiceSource;
  /** Kinds of faults that may strike; all of them by default. */
  readonly only?: ReadonlySet<FaultKind>;
  readonly history?: boolean;
  /** In place of the workload of chance. */
  readonly workload?: (sim: Simulation) => void;
  /** Changes the services that invocations get: for bugs that are planted. */
  readonly plant?: (ports: Ports) => Ports;
  /** In place of what chance draws of it. */
  readonly profile?: Partial<Profile>;
  /** ms that faults strike for. @default 5 minutes */
  readonly faultsMs?: number;
  /** Is called after every step. */
  readonly eachStep?: (sim: Simulation) => void | Promise<void>;
}

export interface RunResult {
  readonly violations: readonly Violation[];
  readonly tasks: number;
  readonly faults: ReadonlyMap<FaultKind, number>;
  readonly states: ReadonlyMap<string, number>;
  /** How often what was done that only some runs do. */
  readonly seen: Seen;
  readonly steps: number;
  readonly invocations: number;
  /** ms after the faults stopped until every task was terminal. */
  readonly doneMs: number;
  readonly purged: boolean;
  /** ms of virtual time at which the last generation of each task ended, by its tenant and id. */
  readonly endedAt: ReadonlyMap<string, number>;
  readonly history: readonly string[];
}

/** Runs the platform through one history. The same source of choices makes the same history. */
export async function runOnce(options: RunOptions): Promise<RunResult> {
  const { sim, outcomes } = createSimulation(options);
  const { kernel, checks } = sim;
  const faultsMs = options.faultsMs ?? FAULTS_MS;
  const stop = () => checks.violations.length > 0;
  const run = async (until: number, done: () => boolean): Promise<void> => {
    if (!options.eachStep) return kernel.run(until, () => stop() || done());
    while (!stop() && !done() && kernel.now() < until) {
      const steps = kernel.steps();
      await kernel.run(until, () => kernel.steps() > steps || stop() || done());
      await options.eachStep(sim);
    }
  };

  // As a platform that has run for a while: its cursors are where the latest tick left them.
  const { buckets } = sim.services;
  await Promise.all(Array.from({ length: buckets.shards }, (_, shard) => buckets.advance(shard, undefined, minuteOf(START) + 1)));
  await storeSecrets(sim, TENANTS);
  await startRouting(sim);
  await startStarts(sim);
  await startDivision(sim);
  await startRated(sim);
  await startAdmission(sim, faultsMs);
  startControl(sim);
  startSchedule(sim);
  feedDispatch(sim);
  feedSettle(sim, outcomes);
  startUpheavals(sim, faultsMs);
  (options.workload ?? startWorkload)(sim);
  await run(START + faultsMs, () => false);
  sim.calm = true;
  sim.partitions.clear();
  checks.refusals.calm();
  const calmAt = kernel.now();
  const allIn = () => checks.refusals.waiting().size === 0;
  const done = () => sim.alive.size === 0 && allIn() && checks.waiting().length === 0 && kernel.now() > calmAt + 30_000;
  await run(calmAt + DONE_WITHIN_MS, done);
  const doneMs = kernel.now() - calmAt;
  const forgotten = checks.waiting().filter(({ uid }) => checks.purged.has(uid)).length;
  for (const row of stop() ? [] : checks.waiting()) {
    if (checks.purged.has(row.uid) || (checks.purged.size > 0 && waitsForAnother(row))) continue;
    checks.violations.push({
      kind: 'stuck',
      what: `${nameOf(row)} is ${row.state} (seq ${row.seq}), ${DONE_WITHIN_MS / MINUTE} minutes after the last fault`,
    });
  }
  for (const task of stop() ? [] : checks.refusals.waiting())
    checks.violations.push({ kind: 'stuck', what: `${task} is refused, ${DONE_WITHIN_MS / MINUTE} minutes after the last fault` });
  if (!stop()) await auditRows(sim, run, forgotten);
  if (!stop() && forgotten > 0) await run(kernel.now() + DONE_WITHIN_MS, done);
  await run(kernel.now() + AFTER_MS, () => false);
  // Not in the middle of an invocation, which may just hold a permit that it gives back.
  await run(kernel.now() + MINUTE, () => sim.alive.size === 0);
  const found = stop() ? [] : await checkEnd({ services: sim.services, checks, now: kernel.now(), struck: sim.struck });
  return {
    violations: [...checks.violations, ...found],
    tasks: checks.accepted.size,
    faults: sim.struck,
    states: checks.states,
    seen: seenIn(sim.services, checks),
    steps: kernel.steps(),
    invocations: sim.invocations,
    doneMs,
    purged: sim.struck.has('purged'),
    endedAt: new Map([...checks.ends].map(([uid, { tenant, id }]) => [`${tenant}/${id}`, checks.endedAt.get(uid) ?? 0])),
    history: sim.history?.lines() ?? [],
  };
}

/** The occurrence of a schedule that waits for the end of an earlier one, which may be among those that were forgotten. */
function waitsForAnother({ type, id }: TaskRow): boolean {
  return type === SYSTEM_TYPES.fire && id.startsWith(systemId('wait', ''));
}

/** The audit finds what purged queues have forgotten, and in any other run nothing. */
async function auditRows(sim: Simulation, run: (until: number, done: () => boolean) => Promise<void>, forgotten: number): Promise<void> {
  const { checks } = sim;
  let found: number | undefined;
  invoke(sim, {
    name: 'audit',
    stream: sim.root.fork('audit'),
    about: `older than ${AUDIT_OLDER_MS / MINUTE} minutes`,
    run: (ports) => audit(ports, AUDIT_OLDER_MS),
    done: (report) => void (found = report.found),
    failed: (why) => void checks.violations.push({ kind: 'other', what: `the audit failed: ${why}` }),
  });
  await run(sim.kernel.now() + 20 * MINUTE, () => found !== undefined);
  if (checks.violations.length > 0) return;
  if (found !== forgotten)
    checks.violations.push({ kind: 'lost', what: `the audit found ${found} tasks, of ${forgotten} that nobody looks at` });
}

function createSimulation(options: RunOptions): { sim: Simulation; outcomes: ReturnType<typeof createMemoryMessages> } {
  const kernel = createKernel(START);
  const clock = { now: kernel.now };
  const root = new Stream(options.source);
  const profile = { ...drawProfile(root.fork('profile'), options.only), ...options.profile };
  const random = chanceOf(root.fork('services'));
  const { inFlightLimit, maxReceives } = profile;
  const specs = [...TYPES, CROWDED, ...DIVIDED_TYPES, ...(profile.rates ? RATED_TYPES : []), ...SYSTEM_SPECS];
  const bare = createServices({
    clock,
    random,
    types: specs,
    notifyRules: NOTIFY_RULES,
    receiver: () => answerOfReceiver(sim),
    breakersLateMs: BREAKERS_LATE_MS,
    queues: { inFlightLimit, maxReceives },
  });
  const versions = new Map(specs.map((spec) => [spec.type, [spec]]));
  const checks = createChecks(kernel.now, bare.queue.messages, (type) => versions.get(type) ?? [], profile.skewMs);
  const indexed = createLateRows(kernel.now, ({ uid, seq }) => {
    if (sim.calm || !root.fork(uid, seq).happens(profile.chances['index-late'], 'index-late')) return 0;
    strike(sim, 'index-late');
    return INDEX_LATE_MS;
  });
  const services = observed(bare, (at, args, answer) => {
    checks.applied(at, args, answer);
    if (at.startsWith('tasks.')) indexed.written(answer as WriteResult);
  });
  const outcomes = createMemoryMessages({ clock, random, visibilitySeconds: 120, maxReceives: 100 });
  const watchedRemove = async (receipt: string): Promise<void> => {
    const after = checks.removing(receipt.split('/')[0] ?? '');
    await bare.queue.remove(receipt);
    after();
  };
  const starter = createLambda(outcomes, () => sim);
  const queue = { ...bare.queue, remove: watchedRemove };
  const routing = {
    watch: inventedWatch(bare.watch, () => sim),
    dedicatedQueues: watchedDedicated(bare.queue, checks),
    routingSettings: ROUTING_SETTINGS,
    startRules: START_RULES,
  };
  // Rows, and the days of failures, are read consistently.
  const list = { ...bare.list, newest: createMemoryTaskList(indexed).newest };
  const deadTasks = { ...bare.deadTasks, newest: createMemoryDeadList(indexed).newest };
  const ports: SystemPorts = { ...services, ...routing, queue, list, deadTasks, starter };
  const sim: Simulation = {
    kernel,
    startedAt: START,
    root,
    profile,
    services: { ...services, queue },
    ports: options.plant ? { ...ports, ...options.plant(ports) } : ports,
    checks,
    history: options.history === true ? createHistory(kernel.now, START) : undefined,
    cause: root,
    calm: false,
    struck: new Map(),
    environments: new Map(),
    alive: new Map(),
    partitions: new Map(),
    specs: versions,
    invocations: 0,
  };
  return { sim, outcomes };
}
