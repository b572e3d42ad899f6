import { SYSTEM_TYPES, type Envelope, type ScheduleRecord, type TaskRow } from '@sluice/contracts';
import { createFireHandler } from '../../core/schedules/fire.ts';
import { putSchedule } from '../../core/schedules/manage.ts';
import { runSystemTask } from '../../core/system/run-system-task.ts';
import { createWorld, typeSpec, type WorldConfig, type WorldDeps } from './world.ts';

export type ScheduleWorld = ReturnType<typeof createScheduleWorld>;

export interface ScheduleWorldConfig extends WorldConfig {
  /** Ms since the epoch. @default that of every world */
  readonly now?: number;
  /** The ports of each fire, for a test that lets some of its calls fail. */
  readonly firePorts?: (deps: WorldDeps) => WorldDeps;
}

/** A world whose `sluice.fire` tasks are handled as the platform does, beside a type `job`. */
export function createScheduleWorld({ now, firePorts = (deps) => deps, ...config }: ScheduleWorldConfig = {}) {
  const fired: { at: number; id: string }[] = [];
  const world = createWorld({
    types: [
      // Their rows are what tests look at, after weeks.
      typeSpec('job', { dedupWindowSeconds: 30 * 86_400 }),
      typeSpec(SYSTEM_TYPES.fire, {
        adaptive: false,
        start: 'wait',
        concurrency: 50,
        timeoutSeconds: 60,
        retry: { maxAttempts: 100, minDelaySeconds: 1, maxDelaySeconds: 60, factor: 2 },
        dedupWindowSeconds: 3_600,
      }),
    ],
    ...config,
    handlers: {
      job: ({ sluice }: Envelope) => void fired.push({ at: world.clock.now(), id: sluice.task }),
      ...config.handlers,
      [SYSTEM_TYPES.fire]: (envelope: Envelope) =>
        runSystemTask({ [SYSTEM_TYPES.fire]: createFireHandler(firePorts(world.deps)) }, world.clock, envelope),
    },
  });
  if (now !== undefined) world.clock.set(now);

  const put = (name: string, over: Record<string, unknown> = {}, deps: WorldDeps = world.deps, tenant = 'a') =>
    putSchedule(deps, tenant, name, { task: { type: 'job' }, ...over });
  const record = async (name: string, tenant = 'a'): Promise<ScheduleRecord> => {
    const found = await world.schedules.get(tenant, name);
    if (!found) throw new Error(`no schedule ${tenant} ${name}`);
    return found;
  };
  /** The tasks of occurrences that there are, by id. */
  const tasks = (): readonly TaskRow[] =>
    world.tasks
      .rows()
      .filter((row) => row.type === 'job')
      .sort((a, b) => (a.id < b.id ? -1 : 1));
  /** Lets time pass up to then and works off what is due by then, also where no task is left to wait for. */
  const until = async (time: string | number) => {
    const end = new Date(time).getTime();
    for (;;) {
      while (await world.pump());
      const now = world.clock.now();
      if (now >= end) return;
      const nextMinute = (Math.floor(now / 60_000) + 1) * 60_000;
      world.clock.set(Math.min(end, nextMinute, world.queue.nextVisibleAt() ?? end));
    }
  };
  return { ...world, fired, put, record, jobs: tasks, until };
}

/** The times in the ids of tasks. */
export function timesOf(rows: readonly { readonly id: string }[]): readonly string[] {
  return rows.map(({ id }) => id.slice(id.indexOf('@') + 1));
}
