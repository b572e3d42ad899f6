import { PRIORITIES, type Dedicated, type Priority, type RoutingDocument } from '@sluice/contracts';
import { parseHint } from '../hints/parse.ts';
import type { PlaceDeps } from '../hints/place.ts';
import type { BacklogStore } from '../ports/backlog-store.ts';
import type { DedicatedQueues } from '../ports/dedicated-queues.ts';
import type { QueueRef } from '../ports/hint-queue.ts';
import type { QueueWatch } from '../ports/queue-watch.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import { closeDedicated } from './close-dedicated.ts';
import type { BusyQueue, DedicatedFacts, Observation, QueueDepth } from './observe.ts';
import { dedicatedShard } from './route.ts';
import type { RoutingSettings } from './settings.ts';
import { laneKey } from '../permits/lane-key.ts';

/** Busy queues that are looked into in one round, the deepest first, and messages of each: three calls a queue. */
const QUEUES_LOOKED_INTO = 10;
const MESSAGES_LOOKED_AT = 30;

export interface LookDeps extends PlaceDeps {
  readonly watch: QueueWatch;
  readonly dedicatedQueues: DedicatedQueues;
  readonly backlog: Pick<BacklogStore, 'lanes'>;
  /** Tenants whose work must not wait. */
  readonly sensitiveTenants: () => Promise<readonly string[]>;
  readonly routingSettings: RoutingSettings;
  readonly telemetry: Telemetry;
}

/**
 * Sees what there is, and on the way does for each dedicated queue what its recorded state asks for: all of it may be
 * repeated, so that a round which dies anywhere is made up by the next.
 */
export async function lookAround(deps: LookDeps, document: RoutingDocument): Promise<Observation> {
  const { shards } = deps.routing;
  const shared = PRIORITIES.flatMap((priority) => Array.from({ length: shards }, (_, shard): QueueRef => ({ priority, shard })));
  const [depths, dedicated] = await Promise.all([
    deps.watch.depths(shared),
    Promise.all(document.dedicated.map(async (entry): Promise<[number, DedicatedFacts]> => [entry.generation, await tend(deps, entry)])),
  ]);
  const of = (priority: Priority) => depths.slice(PRIORITIES.indexOf(priority) * shards, (PRIORITIES.indexOf(priority) + 1) * shards);
  const deepest = shared
    .map((queue, i) => ({ queue, visible: depths[i]?.visible ?? 0 }))
    .filter(({ visible }) => visible >= deps.routingSettings.busyDepth)
    .sort((a, b) => b.visible - a.visible)
    .slice(0, QUEUES_LOOKED_INTO);
  const isAsked = deepest.length > 0 || document.moved.length > 0;
  return {
    shared: { high: of('high'), normal: of('normal'), low: of('low') },
    busy: await lookInto(deps, deepest),
    dedicated: new Map(dedicated),
    sensitive: isAsked ? await deps.sensitiveTenants() : [],
  };
}

async function tend(deps: LookDeps, { tenant, generation, state }: Dedicated): Promise<DedicatedFacts> {
  try {
    switch (state) {
      case 'creating':
        return { ready: await deps.dedicatedQueues.make(tenant, generation) };
      case 'active':
      case 'draining':
        return { depth: await depthOf(deps, generation) };
      case 'closing':
        return { gone: await closeDedicated(deps, tenant, generation) };
    }
  } catch (error) {
    deps.telemetry.count('routing.failed', undefined);
    deps.telemetry.log('error', 'a dedicated queue could not be tended', { tenant, generation, state, error });
    return {};
  }
}

async function depthOf(deps: LookDeps, generation: number): Promise<QueueDepth | undefined> {
  const queues = PRIORITIES.map((priority): QueueRef => ({ priority, shard: dedicatedShard(generation) }));
  const depths = await deps.watch.depths(queues);
  return depths.reduce<QueueDepth | undefined>(
    (sum, depth) =>
      sum &&
      depth && { visible: sum.visible + depth.visible, inFlight: sum.inFlight + depth.inFlight, delayed: sum.delayed + depth.delayed },
    { visible: 0, inFlight: 0, delayed: 0 },
  );
}

/** A lane that is full or held keeps no queue busy: its hints go to its backlog as soon as they are received. */
async function lookInto(deps: LookDeps, queues: readonly { queue: QueueRef; visible: number }[]): Promise<readonly BusyQueue[]> {
  if (queues.length === 0) return [];
  const held = new Set((await deps.backlog.lanes()).map(({ lane }) => laneKey(lane)));
  return Promise.all(
    queues.map(async ({ queue, visible }): Promise<BusyQueue> => {
      const bodies = await deps.watch.sample(queue, MESSAGES_LOOKED_AT);
      const byTenant = new Map<string, number>();
      for (const body of bodies) {
        const hint = parseHint(body);
        if (hint?.kind !== 'tasks' || hint.tasks.every(({ type }) => held.has(laneKey({ tenant: hint.tenant, type })))) continue;
        byTenant.set(hint.tenant, (byTenant.get(hint.tenant) ?? 0) + 1);
      }
      return { priority: queue.priority, shard: Number(queue.shard), visible, seen: bodies.length, byTenant };
    }),
  );
}
