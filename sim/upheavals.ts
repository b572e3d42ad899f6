import { PRIORITIES, type TaskTypeSpec } from '@sluice/contracts';
import { redeployRates } from './rated.ts';
import { oneOf, strike, type Simulation } from './simulation.ts';
import { TYPES } from './workload.ts';

/** What may become of the types by a deployment: of the functions themselves nothing that makes a run outlive its lease. */
const CHANGES: readonly ((spec: TaskTypeSpec) => TaskTypeSpec)[] = [
  (spec) => ({ ...spec, concurrency: 1 }),
  (spec) => ({ ...spec, concurrency: 60 }),
  (spec) => ({ ...spec, start: spec.start === 'wait' ? 'event' : 'wait', timeoutSeconds: Math.max(30, spec.timeoutSeconds) }),
  (spec) => ({ ...spec, retry: { ...spec.retry, maxAttempts: 4, minDelaySeconds: 2 } }),
];

/** What strikes the whole platform, at most once in a run each: a deployment, and an operator who purges queues. */
export function startUpheavals(sim: Simulation, faultsMs: number): void {
  const { root, profile, kernel } = sim;
  const when = (name: string) => 20_000 + root.fork(name).choose(100, 'at') * ((faultsMs - 100_000) / 100);
  if (profile.redeploys) kernel.after(when('redeploy'), () => redeploy(sim));
  if (profile.purges) kernel.after(when('purge'), () => purge(sim));
}

/** Every invocation is cut off and all memory of environments is gone; types are others, or gone for a while. */
function redeploy(sim: Simulation): void {
  const stream = sim.root.fork('redeploy');
  strike(sim, 'redeploy');
  sim.history?.add('operator', 'deploys');
  for (const cut of [...sim.alive.values()]) cut();
  for (const pool of sim.environments.values()) for (const environment of pool) environment.isGone = true;
  sim.environments.clear();
  redeployRates(sim, stream);
  for (const old of TYPES) {
    const own = stream.fork(old.type);
    const what = own.choose(CHANGES.length + 2, 'change', [3, 1, 1, 1, 1, 1]);
    const change = CHANGES[what - 1];
    if (change) {
      strike(sim, 'type-changed');
      const spec = change(old);
      sim.specs.get(spec.type)?.push(spec);
      sim.history?.add('operator', `changes the type ${spec.type}: concurrency ${spec.concurrency}, ${spec.start}`);
      void sim.services.types.put(spec);
    } else if (what === CHANGES.length + 1) {
      strike(sim, 'type-gone');
      sim.history?.add('operator', `removes the type ${old.type}`);
      void sim.services.types.remove(old.type);
      sim.kernel.after(oneOf(own, 'back after', [20_000, 60_000, 400_000]), () => {
        sim.history?.add('operator', `deploys the type ${old.type} again`);
        void sim.services.types.put(old);
      });
    }
  }
}

/** Some queues, or all. */
function purge(sim: Simulation): void {
  const stream = sim.root.fork('purge');
  purgeAll(sim, (queue) => stream.choose(3, queue) !== 0);
}

/** Whoever is named by what is gone is found by the audit alone. */
export function purgeAll(sim: Simulation, which: (queue: string) => boolean = () => true): void {
  const { messages } = sim.services.queue;
  strike(sim, 'purged');
  for (const priority of PRIORITIES) {
    for (let shard = 0; shard < sim.services.routing.shards; shard++) {
      const queue = `${priority}-${shard}`;
      if (!which(queue)) continue;
      sim.history?.add('operator', `purges ${queue}`);
      for (const messageId of messages.idsIn(queue)) for (const uid of sim.checks.index.namedBy(messageId)) sim.checks.purged.add(uid);
      messages.purge(queue);
    }
  }
}
