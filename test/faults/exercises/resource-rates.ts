import type { ResourceSpec, TaskTypeSpec } from '@sluice/contracts';
import { TYPES } from '../app/types.ts';
import type { Stage } from '../world/stage.ts';
import type { Exercise } from './exercise.ts';
import { withType } from './type-scenes.ts';

/** Rates of resources, which control divides among the lanes of types that draw on them. */
export const resourceRates: readonly Exercise[] = [
  {
    name: 'divides the rates of a resource among types, and takes them back',
    ticks: ['control'],
    run: (stage) =>
      withResource(stage, 'quick', [{ limit: 4, perSeconds: 1 }], (resource) =>
        withType(stage, TYPES.event, drawing(stage, resource, 'first'), async (first) => {
          await allEnd(stage, first, 6);
          await withType(stage, TYPES.event, drawing(stage, resource, 'second'), (second) => allEnd(stage, second, 6));
        }),
      ),
  },
  {
    name: 'sees that a lane has ended which the rates of its resource hold back for long',
    run: (stage) =>
      withResource(stage, 'slow', [{ limit: 2, perSeconds: 60 }], (resource) =>
        withType(stage, TYPES.event, drawing(stage, resource, 'slow'), async (type) => {
          await allEnd(stage, type, 2);
          await stage.until('nothing waits', async () => {
            const { raised, cleared } = await stage.world.permits.read({ tenant: stage.tenant, type }, 0);
            return raised === cleared;
          });
        }),
      ),
  },
];

function drawing(stage: Stage, resource: string, name: string): Partial<TaskTypeSpec> {
  return { type: `${name}-of-${stage.tenant}`, resources: [resource], concurrency: 4, adaptive: false };
}

/** All at once, so that some find their lane without anything to start with. */
async function allEnd(stage: Stage, type: string, n: number): Promise<void> {
  const ids = Array.from({ length: n }, (_, i) => `${type}-${i}`);
  await Promise.all(ids.map((id) => stage.submit(id, type, { do: 'ok' })));
  await Promise.all(ids.map((id) => stage.ends(id, { state: 'succeeded', attempts: 1 })));
}

/** A resource of this run, until control has taken back all that it gave of it. */
async function withResource(
  stage: Stage,
  name: string,
  rates: NonNullable<ResourceSpec['rates']>,
  run: (resource: string) => Promise<void>,
): Promise<void> {
  const { resourceWriter, divisions } = stage.world;
  const resource = `${name}-of-${stage.tenant}`;
  await resourceWriter.put({ v: 1, resource, concurrency: 50, rates: [...rates] }, stage.tenant);
  try {
    await run(resource);
  } finally {
    await resourceWriter.remove(resource, stage.tenant);
  }
  await stage.until('nothing of its rates is given any more', async () => {
    const [grants, rests] = await Promise.all([divisions.rateGrants(), divisions.rateRests()]);
    return !grants.some(({ tenant }) => tenant === stage.tenant) && !rests.some((rest) => rest.resource === resource);
  });
}
