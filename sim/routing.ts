import { PRIORITIES, type RoutingDocument, type TaskHint } from '@sluice/contracts';
import type { MemoryQueues } from '../adapters/memory/index.ts';
import type { DedicatedQueues } from '../core/ports/dedicated-queues.ts';
import type { QueueWatch } from '../core/ports/queue-watch.ts';
import { DEFAULT_ROUTING_SETTINGS, type RoutingSettings } from '../core/routing/settings.ts';
import { tendRouting } from '../core/routing/tend-routing.ts';
import type { Checks } from './checks/checks.ts';
import type { Stream } from './choices.ts';
import { invoke } from './invocation.ts';
import { everyMinute } from './minutes.ts';
import { oneOf, strike, type Simulation } from './simulation.ts';
import { TENANTS } from './workload.ts';

const MINUTE_MS = 60_000;

/** One reading is enough, so that much comes and goes in a run; how long queues are drained for is as it really is. */
export const ROUTING_SETTINGS: RoutingSettings = {
  ...DEFAULT_ROUTING_SETTINGS,
  maxDedicated: 2,
  busyDepth: 50,
  promoteReadings: 1,
  promoteAfterMs: 0,
  demoteAfterMs: MINUTE_MS,
};

/** SQS's counts are about right: some rounds see queues that a tenant has filled, where there are none. */
export function inventedWatch(watch: QueueWatch, simulation: () => Simulation): QueueWatch {
  const round = (): Stream => simulation().root.fork('counts', Math.floor(simulation().kernel.now() / MINUTE_MS) % 2 ** 31);
  return {
    depths: async (queues) => {
      const depths = await watch.depths(queues);
      if (simulation().calm || !simulation().profile.routes) return depths;
      return depths.map((depth, i) => {
        const isShared = typeof queues[i]?.shard === 'number';
        return depth && isShared && round().fork('queue', i).happens(0.1, 'seems busy') ? { ...depth, visible: 60 } : depth;
      });
    },
    sample: async () => {
      const tenant = oneOf(round(), 'seems to fill it', TENANTS);
      const task = { id: 't', uid: '01ARZ3NDEKTSV4RRFFQ69G5FAV', seq: 0, at: 0, made: 0, type: 'short', priority: 'normal' as const };
      const hint: TaskHint = { v: 1, kind: 'tasks', tenant, tasks: [task] };
      return [JSON.stringify(hint)];
    },
  };
}

/** Queues whose end is checked: no task may lose its hint by it. */
export function watchedDedicated(queues: MemoryQueues, checks: Checks): DedicatedQueues {
  const { dedicatedQueues } = queues;
  return {
    ...dedicatedQueues,
    discard: async (tenant, generation, messages) => {
      const after = messages.map(({ receipt }) => checks.removing(receipt.split('/')[0] ?? ''));
      await dedicatedQueues.discard(tenant, generation, messages);
      for (const check of after) check();
    },
    remove: async (tenant, generation) => {
      const ids = PRIORITIES.flatMap((priority) => queues.messages.idsIn(`${priority}-d${generation}`));
      const after = ids.map((id) => checks.removing(id));
      await dedicatedQueues.remove(tenant, generation);
      for (const check of after) check();
    },
  };
}

/** Begins in the midst of it: one tenant's queues are about to be closed, another's are used. */
export async function startRouting(sim: Simulation): Promise<void> {
  if (!sim.profile.routes) return;
  strike(sim, 'routes');
  const { routes, queue } = sim.services;
  const now = sim.kernel.now();
  const document: RoutingDocument = {
    v: 1,
    version: 1,
    generations: 2,
    dedicated: [
      { tenant: 'a', generation: 1, state: 'draining', since: now - 19 * MINUTE_MS, quietSince: now - 10 * MINUTE_MS },
      { tenant: 'b', generation: 2, state: 'active', since: now - MINUTE_MS },
    ],
    moved: [{ tenant: 'c', shards: [0, 3], since: now }],
    suspects: [],
  };
  for (const { tenant, generation } of document.dedicated) await queue.dedicatedQueues.make(tenant, generation);
  await routes.write(document);
  everyMinute(sim, 'routing', (stream, about) => invoke(sim, { name: 'routing', stream, about, run: (ports) => tendRouting(ports) }));
}
