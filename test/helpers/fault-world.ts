import { SYSTEM_TYPES, type Envelope, type OutcomeClass, type TaskRow, type TaskState } from '@sluice/contracts';
import { createMemoryRandom } from '../../adapters/memory/index.ts';
import { cancelTask } from '../../core/api/cancel-task.ts';
import { retryTask } from '../../core/api/retry-task.ts';
import { dispatch } from '../../core/dispatch/dispatch.ts';
import type { WriteResult } from '../../core/ports/task-store.ts';
import { isTerminal } from '../../core/tasks/state.ts';
import { faulty, type Fault, type PortCall } from './faults.ts';
import { watchHints } from './has-hint.ts';
import { createWorld, typeSpec, type WorldDeps } from './world.ts';

const RETRY = { maxAttempts: 3, minDelaySeconds: 1, maxDelaySeconds: 30, factor: 3 };
const TYPES = [
  typeSpec('narrow', { concurrency: 2, retry: RETRY, notify: { queue: { name: 'ends' } } }),
  typeSpec('wide', { concurrency: 150, retry: RETRY }),
  typeSpec('short', { start: 'wait', concurrency: 2, timeoutSeconds: 10, retry: RETRY }),
];
/** Nobody but the platform submits it. It fails as any other. */
const DELIVERIES = typeSpec(SYSTEM_TYPES.notify, { concurrency: 5, retry: RETRY });
const ALL = [...TYPES, DELIVERIES];
const SPECS = new Map(ALL.map((spec) => [spec.type, spec]));
const ENDS: readonly OutcomeClass[] = [
  'succeeded',
  'succeeded',
  'succeeded',
  'succeeded',
  'succeeded',
  'retryable',
  'retryable',
  'throttled',
  'fatal',
  'crashed',
  'lost',
];
const ERRORS: Partial<Record<OutcomeClass, string>> = {
  retryable: 'Error',
  throttled: 'ThrottledError',
  fatal: 'FatalError',
  crashed: 'Runtime.ExitError',
};

const FAULTS: readonly Fault[] = ['fail', 'ambiguous', 'die', 'die-after'];

export type FaultWorld = ReturnType<typeof createFaultWorld>;

/**
 * A world in which, until it is calmed, every call may fail or be its invocation's last, messages and records come
 * twice, time jumps, handlers vanish, and several invocations run at once. The same in every run of one seed.
 * @param faults the chance of one in each call
 */
export function createFaultWorld(seed: number, faults = 0.03) {
  const chance = createMemoryRandom(seed * 7919 + 1);
  const maybe = (p: number) => chance.fraction() < p;
  const upTo = (n: number) => Math.floor(chance.fraction() * n);
  const pick = <T>(from: readonly T[]): T => from[upTo(from.length)] as T;

  const broken: string[] = [];
  const accepted = new Map<string, string>();
  const rows = new Map<string, TaskRow>();
  const ends = new Map<string, TaskState>();
  /** Runs that may be alive, by task: their fence and when they end at the latest. */
  const live = new Map<string, { fence: number; until: number }[]>();
  const runs = new Map<string, { counted: number; unknown: number }>();
  const later: { at: number; run: () => Promise<void> }[] = [];
  let calm = false;
  /** In some histories every attempt crashes for a while. */
  const outage = { from: seed % 3 === 0 ? 60_000 : Infinity, until: 150_000 };
  let began = 0;
  let starting = 0;
  let vanishing = false;
  let latest: { fence: number; until: number } | undefined;

  const runsOf = (uid: string) => {
    const found = runs.get(uid) ?? { counted: 0, unknown: 0 };
    runs.set(uid, found);
    return found;
  };

  const world = createWorld({
    seed,
    types: ALL,
    handlers: Object.fromEntries(ALL.map(({ type }) => [type, (envelope: Envelope) => handle(envelope)])),
    launch: (run) => {
      const at = world.clock.now() + upTo(60_000);
      if (vanishing) return;
      if (latest) latest.until = at;
      later.push({ at, run });
      // Lambda may run one event twice.
      if (!calm && maybe(0.03)) later.push({ at: at + upTo(20_000), run });
    },
    before: (spec, mode, { sluice }) => {
      if (!calm && maybe(0.08)) return { kind: 'refused', why: maybe(0.5) ? 'throttled' : 'missing', message: 'no' };
      invoked(sluice, mode);
      vanishing = !calm && maybe(0.08);
      if (!vanishing) return undefined;
      runsOf(sluice.uid).unknown += 1;
      return mode === 'event' ? { kind: 'started' } : { kind: 'unknown', message: `${spec.type} vanished` };
    },
  });
  const { clock } = world;
  began = clock.now();

  function invoked({ tenant, task, uid, fence, type }: Envelope['sluice'], mode: 'event' | 'wait'): void {
    const now = clock.now();
    const others = (live.get(uid) ?? []).filter((run) => run.until > now && run.fence !== fence);
    if (others.length > 0) broken.push(`two live fences of ${tenant}/${task}: ${fence} beside ${others[0]?.fence}`);
    const nonce = world.tasks.rows().find((row) => row.tenant === tenant && row.id === task)?.run?.nonce;
    if (!watch.permits().some((p) => p.nonce === nonce && p.expiry > now)) broken.push(`no permit for ${tenant}/${task} fence ${fence}`);
    latest = { fence, until: now + (mode === 'event' ? 60_000 + 1000 * (SPECS.get(type)?.timeoutSeconds ?? 0) : 1) };
    live.set(uid, [...others, latest]);
  }

  function handle({ sluice }: Envelope): unknown {
    const since = clock.now() - began;
    const broken = !calm && since > outage.from && since < outage.until;
    const end = broken ? 'crashed' : calm && maybe(0.7) ? 'succeeded' : pick(ENDS);
    if (end === 'throttled') throw Object.assign(new Error('slow down'), { name: ERRORS.throttled });
    runsOf(sluice.uid).counted += 1;
    const name = ERRORS[end];
    if (name) throw Object.assign(new Error('no'), { name });
    return { ok: true };
  }

  const watch = watchHints(world, (at, answer) => {
    if (at.startsWith('tasks.')) written(answer as WriteResult);
    for (const row of watch.withoutHint(rows.values())) {
      if (accepted.has(keyOf(row)) || row.type === DELIVERIES.type)
        broken.push(`after ${at}: no hint for ${keyOf(row)} (${row.state}, seq ${row.seq})`);
    }
  });

  function written(answer: WriteResult): void {
    if (!answer.applied) return;
    const { row } = answer;
    rows.set(`${row.tenant}/${row.id}`, row);
    const before = ends.get(row.uid);
    if (before) broken.push(`${keyOf(row)} was ${before}, then ${row.state}`);
    if (isTerminal(row.state)) ends.set(row.uid, row.state);
  }

  const hops = async (n: number) => {
    for (let hop = 0; hop < n; hop++) await Promise.resolve();
  };
  /** No time passes between the check of a lease and the invocation that it allows. */
  function started(): void {
    starting += 1;
    void hops(20).then(() => (starting -= 1));
  }

  /** The ports of one invocation. */
  function ports(): WorldDeps {
    return faulty(watch.deps, async ({ at }: PortCall): Promise<Fault> => {
      if (at === 'starter.start') started();
      await hops(upTo(7));
      if (calm) return 'none';
      if (starting === 0 && maybe(0.01)) clock.advance(upTo(45_000));
      return maybe(faults) ? pick(FAULTS) : 'none';
    });
  }

  async function submit(): Promise<void> {
    const tenant = pick(['a', 'b', 'c']);
    const batch = Array.from({ length: 1 + upTo(4) }, () => {
      const type = pick(TYPES).type;
      const id = `${type}-${upTo(5)}`;
      const priority = pick(['high', 'normal', 'low']);
      const delaySeconds = maybe(0.15) ? upTo(1_500) : maybe(0.3) ? upTo(20) : 0;
      const expiresAt = maybe(0.1) ? { expiresAt: new Date(clock.now() + delaySeconds * 1000 + 60_000).toISOString() } : {};
      return { type, id, priority, delaySeconds, ...expiresAt };
    });
    const results = await world.submitBy(ports(), tenant, ...batch).catch(() => []);
    for (const result of results) if (result.ok) accepted.set(`${tenant}/${result.task.id}/${result.task.uid}`, tenant);
  }

  /** Somebody cancels a task, or retries one that has ended. */
  async function operate(): Promise<void> {
    const row = pick([...rows.values()]);
    if (!row) return;
    const { tenant, id, uid } = row;
    if (maybe(0.6)) return void (await cancelTask(ports(), tenant, id).catch(() => undefined));
    const retried = await retryTask(ports(), tenant, id, maybe(0.5) ? uid : undefined).catch(() => undefined);
    if (retried) accepted.set(`${tenant}/${id}/${retried.uid}`, tenant);
  }

  async function work(): Promise<number> {
    const received = await world.queue.receive(1 + upTo(10));
    if (received.length === 0) return 0;
    // Some come again while they are worked on.
    if (!calm) await Promise.all(received.filter(() => maybe(0.03)).map((message) => world.queue.giveBack(message, 0)));
    const own = ports();
    try {
      const kept = await dispatch(own, received, { noted: maybe(0.5) ? world.noted : new Map(), deadline: clock.now() + 180_000 });
      await Promise.all(received.filter((m) => !kept.includes(m.messageId)).map((m) => own.queue.remove(m.receipt)));
    } catch {
      // Died: its messages come again when their time of being out of sight is over.
    }
    return received.length;
  }

  async function settle(): Promise<number> {
    const copy = calm || !maybe(0.05) ? undefined : world.records[0];
    if (copy) world.records.push({ ...copy, messageId: `${copy.messageId}x` });
    return world.settleOnce(ports(), 1 + upTo(10)).catch(() => 1);
  }

  const tick = () => world.tick(ports()).catch(() => undefined);

  async function endRuns(): Promise<void> {
    const due = later.filter((run) => run.at <= clock.now());
    for (const run of due) {
      later.splice(later.indexOf(run), 1);
      await run.run();
    }
  }

  /** Some invocations at once, then some time. */
  async function step(ms: number, withSubmissions: boolean): Promise<void> {
    await endRuns();
    const crowd = Array.from({ length: 1 + upTo(4) }, () => pick([work, work, work, settle, settle]));
    await Promise.all([
      ...crowd.map((run) => run()),
      withSubmissions && maybe(0.5) ? submit() : undefined,
      withSubmissions && maybe(0.3) ? operate() : undefined,
    ]);
    const minute = Math.floor(clock.now() / 60_000);
    clock.advance(ms);
    if (Math.floor(clock.now() / 60_000) > minute) await Promise.all([tick(), maybe(0.1) ? tick() : undefined]);
  }

  return {
    world,
    watch,
    broken,
    accepted,
    runs,
    ends,
    step,
    upTo,
    calmDown: () => void (calm = true),
    live: () => [...rows.values()].filter((row) => !isTerminal(row.state)),
    waitingFor: () => Math.min(...later.map((run) => run.at), world.queue.nextVisibleAt() ?? Infinity),
  };
}

function keyOf(row: TaskRow): string {
  return `${row.tenant}/${row.id}/${row.uid}`;
}
