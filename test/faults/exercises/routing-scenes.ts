import type { RoutingDocument } from '@sluice/contracts';
import { CreateQueueCommand, GetQueueUrlCommand } from '@aws-sdk/client-sqs';
import { PRIORITIES, type DedicatedState, type Priority } from '@sluice/contracts';
import { NO_ROUTING } from '../../../core/routing/next-document.ts';
import { dedicatedShard } from '../../../core/routing/route.ts';
import { PLATFORM } from '../app/synth.ts';
import type { Stage } from '../world/stage.ts';
import { RESIDENT } from '../world/world.ts';

/** Whoever deletes all dedicated queues runs when nobody else uses some. */
export const QUEUES = 'dedicated queues';

/** Changes the routing between two rounds of control, as a decision of its own would. */
export async function decide(stage: Stage, change: (document: RoutingDocument) => RoutingDocument): Promise<void> {
  const { routes } = stage.world;
  await stage.until('the routing is written', async () => {
    const document = (await routes.read()) ?? NO_ROUTING;
    return routes.write({ ...change(document), version: document.version + 1 });
  });
}

/** Notes queues of the run's tenant, in some state. @returns their generation, which is never given again */
export async function noteDedicated(stage: Stage, state: DedicatedState): Promise<number> {
  let generation = 0;
  await decide(stage, (document) => {
    generation = document.generations + 1;
    const entry = { tenant: stage.tenant, generation, state, since: Date.now() };
    return { ...document, generations: generation, dedicated: [...document.dedicated, entry] };
  });
  namesQueues(stage, generation);
  return generation;
}

/** A generation whose queues nobody has noted. */
export async function takeGeneration(stage: Stage): Promise<number> {
  let generation = 0;
  await decide(stage, (document) => {
    generation = document.generations + 1;
    return { ...document, generations: generation };
  });
  namesQueues(stage, generation);
  return generation;
}

/** What is about one of the queues names it alone. */
function namesQueues(stage: Stage, generation: number): void {
  for (const end of ['"', '&', '/']) stage.names.push(`-${dedicatedShard(generation)}${end}`);
}

/** Notes queues anew of the tenant whose routing functions ask for again and again. */
export async function noteResident(stage: Stage): Promise<void> {
  await decide(stage, (document) => {
    const generation = document.generations + 1;
    const entry = { tenant: RESIDENT, generation, state: 'creating' as const, since: Date.now() };
    return { ...document, generations: generation, dedicated: [...document.dedicated.filter(({ tenant }) => tenant !== RESIDENT), entry] };
  });
}

/** Whatever queues the run's tenant has are to be closed, and are: nothing is left of them. */
export async function closeAll(stage: Stage): Promise<void> {
  const own = ({ tenant }: { tenant: string }): boolean => tenant === stage.tenant;
  const generations = new Set<number>();
  await decide(stage, (document) => ({
    ...document,
    dedicated: document.dedicated.map((entry) => (own(entry) ? { ...entry, state: 'closing' as const, since: Date.now() } : entry)),
  }));
  await stage.until('the queues are noted no more', async () => {
    const { dedicated } = (await stage.world.routes.read()) ?? NO_ROUTING;
    for (const entry of dedicated.filter(own)) generations.add(entry.generation);
    return !dedicated.some(own);
  });
  for (const generation of generations) {
    for (const priority of PRIORITIES) {
      if (await isThere(stage, priority, generation)) throw new Error(`the queue ${nameOfQueue(priority, generation)} is still there`);
    }
  }
}

/** Takes the note of queues away that never were. */
export async function forget(stage: Stage, generation: number): Promise<void> {
  await decide(stage, (document) => ({ ...document, dedicated: document.dedicated.filter((entry) => entry.generation !== generation) }));
}

export async function stateOf(stage: Stage): Promise<DedicatedState | undefined> {
  return (await stage.world.routes.read())?.dedicated.find(({ tenant }) => tenant === stage.tenant)?.state;
}

export function nameOfQueue(priority: Priority, generation: number): string {
  return `${PLATFORM}-${priority}-${dedicatedShard(generation)}`;
}

/** Makes the queues of a generation, without event sources. */
export async function makeQueues({ world: { clients } }: Stage, generation: number): Promise<void> {
  await Promise.all(
    PRIORITIES.map((priority) => clients.sqs.send(new CreateQueueCommand({ QueueName: nameOfQueue(priority, generation) }))),
  );
}

export async function isThere({ world: { clients } }: Stage, priority: Priority, generation: number): Promise<boolean> {
  return clients.sqs.send(new GetQueueUrlCommand({ QueueName: nameOfQueue(priority, generation) })).then(
    () => true,
    () => false,
  );
}
