import { SYSTEM_TYPES, type TaskTypeSpec } from '@sluice/contracts';
import type { MemoryHandler } from '../../adapters/memory/index.ts';
import { runSlice } from '../../core/redrive/run-slice.ts';
import { runSystemTask } from '../../core/system/run-system-task.ts';
import { createWorld, typeSpec, type WorldDeps } from './world.ts';

export interface RedriveWorldConfig {
  readonly types?: readonly TaskTypeSpec[];
  /** The ports of the slices. */
  readonly slices?: (deps: WorldDeps) => WorldDeps;
}

const REDRIVE = typeSpec(SYSTEM_TYPES.redrive, {
  adaptive: false,
  timeoutSeconds: 60,
  concurrency: 4,
  retry: { maxAttempts: 20, minDelaySeconds: 1, maxDelaySeconds: 60, factor: 2 },
});

/** A world whose tasks fail until they are mended, and whose redrives are driven as in a deployment. */
export function createRedriveWorld({ types = [typeSpec('echo'), typeSpec('mail')], slices = (deps) => deps }: RedriveWorldConfig = {}) {
  const runs = new Map<string, number>();
  let broken: (id: string) => string | undefined = () => 'FatalError';
  const work: MemoryHandler = ({ payload, sluice }) => {
    runs.set(sluice.uid, (runs.get(sluice.uid) ?? 0) + 1);
    const name = broken(sluice.task);
    if (name) throw Object.assign(new Error(`${sluice.task} is broken`), { name });
    return { got: payload };
  };
  const world = createWorld({
    types: [...types, REDRIVE],
    handlers: {
      ...Object.fromEntries(types.map(({ type }) => [type, work])),
      [SYSTEM_TYPES.redrive]: async (envelope) => {
        const ports = slices({ ...world.deps, timer: { sleep: async (ms) => void world.clock.advance(ms) } });
        return runSystemTask({ [SYSTEM_TYPES.redrive]: (payload, attempt) => runSlice(ports, payload, attempt) }, world.clock, envelope);
      },
    },
  });

  /** Dead tasks of a tenant. */
  async function fail(tenant: string, ids: readonly string[], over: Record<string, unknown> = {}): Promise<void> {
    await world.submit(tenant, ...ids.map((id) => ({ type: 'echo', id, payload: { id }, ...over })));
    await world.run();
    // What a redrive begins with had failed before it.
    world.clock.advance(1_000);
  }

  return {
    ...world,
    runs,
    fail,
    /** From now on these fail, with an error of that name; the others succeed. */
    breaks: (next: (id: string) => string | undefined) => void (broken = next),
    mend: () => void (broken = () => undefined),
    /** How many generations ran for each id. */
    generationsOf: (tenant: string, id: string) =>
      [...world.tasks.archived(), ...world.tasks.rows()].filter((row) => row.tenant === tenant && row.id === id).length,
  };
}

export const idsUpTo = (count: number): string[] => Array.from({ length: count }, (_, n) => `t${String(n).padStart(4, '0')}`);
