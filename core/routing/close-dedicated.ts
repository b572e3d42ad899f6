import { parseHint } from '../hints/parse.ts';
import { placeHints, type PlaceDeps } from '../hints/place.ts';
import type { DedicatedQueues, LeftMessage } from '../ports/dedicated-queues.ts';
import type { Telemetry } from '../ports/telemetry.ts';

/** Receives in one round; what is left after them, the next round goes on with. */
const RECEIVES = 50;

export interface CloseDeps extends PlaceDeps {
  readonly dedicatedQueues: DedicatedQueues;
  readonly telemetry: Telemetry;
}

/**
 * Closes the queues of a tenant that was routed elsewhere long ago and that were found empty: first the event sources, then
 * a look into the queues, whose counts may have been wrong, and last the queues. What is found is hinted again before it goes.
 * @returns whether nothing is left of them
 */
export async function closeDedicated(deps: CloseDeps, tenant: string, generation: number): Promise<boolean> {
  if (!(await deps.dedicatedQueues.disconnect(tenant, generation))) return false;
  for (let n = 0; n < RECEIVES; n++) {
    const left = await deps.dedicatedQueues.receive(tenant, generation);
    if (left.length === 0) {
      await deps.dedicatedQueues.remove(tenant, generation);
      return true;
    }
    const done = await hintAgain(deps, left);
    await deps.dedicatedQueues.discard(tenant, generation, done);
    if (done.length < left.length) return false;
  }
  return false;
}

/** @returns those that may go. */
async function hintAgain(deps: CloseDeps, left: readonly LeftMessage[]): Promise<readonly LeftMessage[]> {
  const ends = await Promise.all(
    left.map(async ({ body }) => {
      const hint = parseHint(body);
      if (!hint) deps.telemetry.log('error', 'unreadable hint', { body: body.slice(0, 500) });
      // The minute says the same to a lane; nobody could read what is unreadable.
      if (hint?.kind !== 'tasks') return true;
      const durable = await placeHints(
        deps,
        hint.tasks.map((task) => ({ tenant: hint.tenant, task })),
      );
      return !durable.includes(false);
    }),
  );
  return left.filter((_, i) => ends[i]);
}
