import type { AdmissionStepDeps } from '../core/admission/control-step.ts';
import type { CancelDeps } from '../core/api/cancel-task.ts';
import type { ListDeps } from '../core/api/list-tasks.ts';
import type { AuditDeps } from '../core/audit/audit.ts';
import type { DivideDeps } from '../core/control/divide-capacities.ts';
import type { DispatchDeps } from '../core/dispatch/work.ts';
import type { RedriveDeps } from '../core/redrive/operate.ts';
import type { OccurrenceDeps } from '../core/schedules/arm.ts';
import type { DeliverDeps } from '../core/notify/deliver.ts';
import type { TendRoutingDeps } from '../core/routing/tend-routing.ts';
import type { StartStepDeps } from '../core/starts/control-step.ts';
import type { TickDeps } from '../core/timers/minute-tick.ts';

/** All that the use cases ask of the world. */
export type Ports = DispatchDeps & OccurrenceDeps & RedriveDeps & TickDeps & AuditDeps & CancelDeps & ListDeps;

/** With what the platform's own tasks ask beside that. */
export type SystemPorts = Ports &
  DeliverDeps &
  TendRoutingDeps &
  Pick<StartStepDeps, 'starts' | 'startRules'> &
  Pick<DivideDeps, 'divisions' | 'quotas' | 'control'> &
  Pick<AdmissionStepDeps, 'admissions'>;

/** The ports whose calls leave the process: each call is a point where others run, time passes or a fault strikes. */
const OUTSIDE = [
  'tasks',
  'values',
  'queue',
  'buckets',
  'permits',
  'backlog',
  'events',
  'starter',
  'types',
  'timer',
  'dead',
  'list',
  'breakers',
  'schedules',
  'webhookSecrets',
  'deadTasks',
  'redrives',
  'webhooks',
  'notifications',
  'watch',
  'dedicatedQueues',
  'routes',
  'starts',
  'divisions',
  'quotas',
  'control',
  'admissions',
] as const;

/** One call of a port, not yet made. */
export interface PortCall {
  /** `port.method` */
  readonly at: string;
  readonly args: readonly unknown[];
  /** Makes it: what it does is done when this returns, its answer is what this resolves to. */
  readonly apply: () => Promise<unknown>;
}

type Method = (...args: unknown[]) => unknown;

/** The same ports, whose calls somebody else answers: with the answer of `call.apply()`, with another one, or never. */
export function portsThrough<P extends Partial<Record<(typeof OUTSIDE)[number], object | undefined>>>(
  ports: P,
  onCall: (call: PortCall) => Promise<unknown>,
): P {
  const all: Record<string, unknown> = { ...ports };
  for (const name of OUTSIDE) {
    const port = ports[name];
    if (port) all[name] = portThrough(name, port, onCall);
  }
  return all as P;
}

function portThrough(name: string, port: object, onCall: (call: PortCall) => Promise<unknown>): object {
  const wrapped: Record<string, unknown> = {};
  for (const [method, found] of Object.entries(port) as [string, unknown][]) {
    if (typeof found !== 'function') {
      wrapped[method] = found;
      continue;
    }
    const at = `${name}.${method}`;
    if (at === 'buckets.read') {
      wrapped[method] = (...args: unknown[]) => pagesOf(onCall({ at, args, apply: () => pages((found as Method)(...args)) }));
    } else {
      wrapped[method] = (...args: unknown[]) => onCall({ at, args, apply: async () => (found as Method)(...args) });
    }
  }
  return wrapped;
}

async function pages(iterable: unknown): Promise<unknown[]> {
  const all: unknown[] = [];
  for await (const page of iterable as AsyncIterable<unknown>) all.push(page);
  return all;
}

async function* pagesOf(read: Promise<unknown>): AsyncIterable<unknown> {
  yield* (await read) as unknown[];
}

/** As each port says that it does not know what became of a call: most throw, these answer. */
export function unknownAnswer({ at, args }: Pick<PortCall, 'at' | 'args'>): unknown {
  if (at === 'queue.send') return (args[0] as unknown[]).map(() => false);
  if (at === 'queue.giveBack') return undefined;
  if (at === 'control.tell') return false;
  if (at === 'watch.depths') return (args[0] as unknown[]).map(() => undefined);
  if (at === 'watch.sample') return [];
  if (at === 'starter.start') return { kind: 'unknown', message: 'the connection was cut' };
  if (at === 'webhooks.send') return { kind: 'failed', message: 'no answer' };
  throw new Error(`${at}: no answer`);
}
