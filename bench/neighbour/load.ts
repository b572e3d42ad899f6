import type { SluiceClient } from '@sluice/client';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Runs } from '../path/paths.ts';

/** One tenant, and how it submits. */
export interface Submitter {
  readonly tenant: string;
  readonly client: SluiceClient;
  /** ms between two of its submissions, and tasks of each. */
  readonly everyMs: number;
  readonly tasks: number;
}

const now = (): number => performance.timeOrigin + performance.now();

/**
 * Has every tenant submit for so long, at even times that nothing holds up, and waits until all of it has begun.
 * @returns ms from the time at which each task was to be submitted to its handler's first line, by tenant
 */
export async function submitFor(
  name: string,
  ms: number,
  submitters: readonly Submitter[],
  runs: Runs,
): Promise<ReadonlyMap<string, readonly number[]>> {
  const from = now() + 100;
  const waits = new Map<string, readonly number[]>();
  await Promise.all(
    submitters.map(async ({ tenant, client, everyMs, tasks }, place) => {
      const offset = (everyMs * place) / submitters.length;
      const times = Array.from({ length: Math.floor((ms - offset) / everyMs) }, (_, n) => from + offset + n * everyMs);
      const idsOf = (n: number) => Array.from({ length: tasks }, (_, task) => `${name}-${tenant}-${n}-${task}`);
      await Promise.all(
        times.map(async (at, n) => {
          await sleep(Math.max(0, at - now()));
          const { failed } = await client.submitMany(idsOf(n).map((id) => ({ type: 'work', id })));
          if (failed > 0) throw new Error(`${failed} tasks of ${tenant} were not accepted`);
        }),
      );
      const began = await runs.of(
        times.flatMap((_, n) => idsOf(n)),
        100,
      );
      waits.set(
        tenant,
        began.map((at, n) => at - (times[Math.floor(n / tasks)] ?? at)),
      );
    }),
  );
  return waits;
}
