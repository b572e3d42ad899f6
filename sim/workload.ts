import { isSluiceError, type TaskTypeSpec } from '@sluice/contracts';
import { cancelTask } from '../core/api/cancel-task.ts';
import { listTasks } from '../core/api/list-tasks.ts';
import { retryTask } from '../core/api/retry-task.ts';
import { submitTasks, type SubmitResult } from '../core/submit/submit.ts';
import type { Stream } from './choices.ts';
import { invoke } from './invocation.ts';
import { oneOf, type Simulation } from './simulation.ts';
import { later, startOthers } from './clients.ts';
import { FRAGILE } from './crashes.ts';
import { startCrowd } from './crowd.ts';
import { startHopeless } from './hopeless.ts';
import { startRush } from './rush.ts';
import { HOOK, QUEUE } from './system-tasks.ts';
import { RETRY, typeSpec } from './type-spec.ts';

const RATES = [
  { limit: 2, perSeconds: 10 },
  { limit: 4, perSeconds: 60 },
];
export const TYPES: readonly TaskTypeSpec[] = [
  typeSpec('narrow', { concurrency: 2, retry: RETRY, preemptible: true }),
  typeSpec('wide', { start: 'auto', concurrency: 150, retry: RETRY, adaptive: { start: 2, signals: 1, windowSeconds: 60 } }),
  typeSpec('short', { start: 'wait', concurrency: 2, timeoutSeconds: 10, retry: RETRY }),
  typeSpec('paced', { concurrency: 2, start: 'wait', timeoutSeconds: 10, retry: RETRY, rates: RATES }),
  // Its permits are in several cells, its rates in one of them.
  typeSpec('spread', { concurrency: 150, retry: RETRY, adaptive: false, rates: RATES }),
  typeSpec('single', { start: 'auto', concurrency: 1, retry: { ...RETRY, maxAgeSeconds: 300 } }),
  typeSpec(FRAGILE, {
    concurrency: 5,
    retry: RETRY,
    retryBudget: { percent: 10, perMinute: 4 },
    notify: { queue: { name: QUEUE }, webhook: { url: HOOK, on: ['failed', 'expired'] } },
  }),
];

/** Calls of clients in one run at most, and the time in which they are made, ms. */
const OPERATIONS = 24;
export const SUBMITTING_MS = 180_000;
const KINDS = ['none', 'submit', 'cancel', 'retry', 'list'] as const;
const WEIGHTS = [2, 7, 2, 2, 0.5];
export const TENANTS = ['a', 'b', 'c'] as const;
/** What a task says itself of who is to be told. */
export const TOLD = { webhook: { url: HOOK }, queue: { name: QUEUE, on: ['failed', 'cancelled'] } };
/** Characters of payloads that are kept in the row, in an item, and in S3. */
const SIZES = [1, 1_000, 9_000] as const;

/** The calls of all clients, each at its time. */
export function startWorkload(sim: Simulation, most = OPERATIONS): void {
  for (let n = 0; n < most; n++) {
    const stream = sim.root.fork('operation', n);
    const kind = KINDS[stream.choose(KINDS.length, 'operation', WEIGHTS)] ?? 'none';
    if (kind === 'none') continue;
    sim.kernel.after(stream.choose(SUBMITTING_MS / 100, 'at') * 100, () => OPERATE[kind](sim, stream));
  }
  startOthers(sim, TENANTS, ['wide', 'short', FRAGILE]);
  startRush(sim, TENANTS, submit);
  startCrowd(sim, TENANTS, submit);
  startHopeless(sim, TENANTS, submit);
}

const OPERATE: Readonly<Record<Exclude<(typeof KINDS)[number], 'none'>, (sim: Simulation, stream: Stream) => void>> = {
  submit: (sim, stream) => {
    const tenant = oneOf(stream, 'tenant', TENANTS);
    submit(sim, stream, tenant, batchOf(sim, stream));
  },
  cancel: (sim, stream) => {
    const { tenant, id } = someTask(stream);
    cancel(sim, stream, tenant, id);
  },
  retry: (sim, stream) => {
    const { tenant, id } = someTask(stream);
    const named = stream.choose(2, 'by generation') === 1;
    const uid = named ? [...sim.checks.ends.values()].find((row) => row.tenant === tenant && row.id === id)?.uid : undefined;
    retry(sim, stream, tenant, id, uid);
  },
  list: (sim, stream) => {
    const tenant = oneOf(stream, 'tenant', TENANTS);
    invoke(sim, {
      name: 'list',
      stream,
      about: tenant,
      run: (ports) => listTasks(ports, tenant, {}),
      done: ({ tasks }) => {
        for (const { id, uid } of tasks) sim.checks.listed(tenant, id, uid);
      },
    });
  },
};

/** A client's call of submit, made again with the same ids while its answer is missing or says that it may be. */
export function submit(sim: Simulation, stream: Stream, tenant: string, batch: readonly Record<string, unknown>[], turn = 0): void {
  const again = (left: readonly Record<string, unknown>[]) => {
    if (left.length > 0) later(sim, turn, () => submit(sim, stream, tenant, left, turn + 1));
  };
  invoke(sim, {
    name: 'submit',
    stream: stream.fork('turn', turn),
    about: batch.map((task) => aboutTask(tenant, task)).join(', '),
    run: (ports, { gate }) => submitTasks({ ...ports, ...(gate && { admission: gate() }) }, tenant, batch),
    done: (results: readonly SubmitResult[]) => {
      for (const result of results) if (result.ok) sim.checks.accept(tenant, result.task.id, result.task.uid);
      again(batch.filter((_, i) => mayRepeat(results[i])));
    },
    failed: () => again(batch),
  });
}

/** A client's call of cancel, made again likewise. */
export function cancel(sim: Simulation, stream: Stream, tenant: string, id: string, turn = 0): void {
  invoke(sim, {
    name: 'cancel',
    stream: stream.fork('turn', turn),
    about: `${tenant}/${id}`,
    run: (ports) => cancelTask(ports, tenant, id),
    failed: () => later(sim, turn, () => cancel(sim, stream, tenant, id, turn + 1)),
  });
}

/** A client's call of retry, made again likewise. */
export function retry(sim: Simulation, stream: Stream, tenant: string, id: string, uid?: string, turn = 0): void {
  invoke(sim, {
    name: 'retry',
    stream: stream.fork('turn', turn),
    about: `${tenant}/${id}`,
    run: (ports) => retryTask(ports, tenant, id, uid),
    done: (task) => sim.checks.accept(tenant, id, task.uid),
    failed: () => later(sim, turn, () => retry(sim, stream, tenant, id, uid, turn + 1)),
  });
}

function aboutTask(tenant: string, { id, delaySeconds }: Record<string, unknown>): string {
  return `${tenant}/${String(id)}${Number(delaySeconds) > 0 ? ` in ${String(delaySeconds)} s` : ''}`;
}

function mayRepeat(result: SubmitResult | undefined): boolean {
  return result !== undefined && !result.ok && isSluiceError(result.error) && result.error.retryable;
}

function someTask(stream: Stream): { tenant: string; id: string } {
  const tenant = oneOf(stream, 'tenant', TENANTS);
  const type = TYPES[stream.choose(TYPES.length, 'type')]?.type ?? '';
  return { tenant, id: `${type}-${stream.choose(4, 'id')}` };
}

function batchOf(sim: Simulation, stream: Stream): Record<string, unknown>[] {
  const count = 1 + stream.choose(4, 'tasks');
  return Array.from({ length: count }, (_, n) => submissionOf(sim, stream.fork('task', n)));
}

function submissionOf(sim: Simulation, stream: Stream): Record<string, unknown> {
  const type = TYPES[stream.choose(TYPES.length, 'type')]?.type ?? '';
  const delaySeconds = [0, stream.choose(20, 'seconds'), 900 + stream.choose(600, 'minutes')][stream.choose(3, 'delay', [5, 2, 1])] ?? 0;
  const id = stream.choose(4, 'id');
  const expires = stream.happens(0.1, 'expires');
  return {
    type,
    id: `${type}-${id}`,
    priority: oneOf(stream, 'priority', ['normal', 'high', 'low']),
    // The same id has the same payload, but for a client that is wrong.
    payload: { text: 'x'.repeat(SIZES[id % SIZES.length] ?? 1), wrong: stream.happens(0.03, 'another payload') },
    delaySeconds,
    ...(type === 'wide' && id === 1 && { notify: TOLD }),
    ...(expires && { expiresAt: new Date(sim.kernel.now() + delaySeconds * 1000 + 60_000).toISOString() }),
  };
}
