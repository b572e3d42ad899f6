import type { Priority } from '@sluice/contracts';
import { systemRandom } from '../../../adapters/system.ts';
import { AIMD_DEFAULTS, initial, type Aimd } from '../../../core/limits/aimd.ts';
import { claimRates } from '../../../core/limits/gcra.ts';
import { PERMITS_PER_CELL } from '../../../core/permits/cells.ts';
import type { Lane, Permit } from '../../../core/ports/permit-store.ts';
import { hintOf } from '../../../core/tasks/state.ts';
import { TYPES } from '../app/types.ts';
import type { Stage } from '../world/stage.ts';
import type { Exercise } from './exercise.ts';
import { GIVEN_BACK } from './given-back.ts';
import { comesTo, deleteRow, messageOf, rowWithoutHint, sendHint, waitsUntold } from './scenes.ts';
import { GIVE_BACK_UNPACED, MAY_STILL_START, PREEMPT, READ } from './sites.ts';
import { withType } from './type-scenes.ts';

/** Who settles attempts of types that start as these do. */
const SETTLERS = [TYPES.event, TYPES.wait] as const;
const RATE = { limit: 1, perSeconds: 15 };
/** Four times as many tasks as a lane of four runs at once: once the first have ended, others are claimed ahead. */
const CROWD = 16;

/** What limits a lane beside its permits: rates, its own finding of a limit, classes above its tasks'. */
export const lanes: readonly Exercise[] = [
  {
    name: 'looks again at what has been claimed ahead, before it starts',
    run: (stage) =>
      withType(stage, TYPES.wait, { concurrency: 4, timeoutSeconds: 3 }, (type) =>
        comesTo(stage, MAY_STILL_START, async (n) => {
          const ids = Array.from({ length: CROWD }, (_, k) => `task-${n}-${k}`);
          await Promise.all(ids.map((id) => stage.submit(id, type, { do: 'ok', ms: 900 })));
          await Promise.all(ids.map((id) => stage.ends(id, { state: 'succeeded', attempts: 1 })));
        }),
      ),
  },
  ...SETTLERS.flatMap((like): Exercise[] => [
    {
      name: `keeps the pace of a lane ${like}`,
      run: (stage) =>
        withType(stage, like, { rates: [{ limit: 2, perSeconds: 2 }] }, async (type) => {
          const ids = ['a', 'b', 'c', 'd', 'e'];
          for (const id of ids) await stage.submit(id, type, { do: 'ok' });
          await Promise.all(ids.map((id) => stage.ends(id, { state: 'succeeded', attempts: 1 })));
        }),
    },
    {
      name: `takes more cells when its limit has grown ${like}`,
      run: (stage) =>
        withType(stage, like, { concurrency: 2 * PERMITS_PER_CELL }, async (type) => {
          const lane = { tenant: stage.tenant, type };
          // An attempt that is waited for is followed by the next at once: there are to be two.
          const held = await hasFilledItsShare(stage, lane, like === TYPES.wait ? 15 : 1);
          const row = await rowWithoutHint(stage, 'waits', type, Date.now());
          await stage.world.backlog.put(lane, [hintOf(row, Date.now())]);
          await stage.world.permits.raise(lane, 0, 'permits', ['normal']);
          await stage.submit('task', type, { do: 'ok' }, { priority: 'high' });
          await stage.ends('task', { state: 'succeeded', attempts: 1 });
          await stage.world.permits.release(lane, 0, held);
          await stage.world.backlog.register(lane, Date.now());
          await stage.ends('waits', { state: 'succeeded', attempts: 1 });
        }),
    },
    {
      name: `tells the first cell what another one hears late ${like}`,
      run: (stage) =>
        withType(stage, like, { concurrency: 2 * PERMITS_PER_CELL, adaptive: { windowSeconds: 1 } }, async (type) => {
          const lane = { tenant: stage.tenant, type };
          const { permits } = stage.world;
          const known = initial(AIMD_DEFAULTS, PERMITS_PER_CELL);
          const full = [{ expiry: Date.now() + FULL_MS, nonce: systemRandom.nonce() }];
          await permits.acquire(lane, 0, full, 1);
          await permits.adapt(lane, 0, { ...known, limit: 1 }, await permits.read(lane, 0), 2);
          await permits.adapt(lane, 1, { ...known, limit: PERMITS_PER_CELL, base: 100 }, await permits.read(lane, 1));
          await stage.submit('task', type, { do: 'throttle-once', ms: 2_000 });
          await stage.ends('task', { state: 'succeeded', attempts: 1 });
          await permits.release(lane, 0, full);
        }),
    },
    {
      name: `makes room for a task of a higher class ${like}`,
      run: (stage) =>
        withType(stage, like, { concurrency: 1, preemptible: true }, async (type) => {
          await stage.submit('low', type, { do: 'make-room' }, { priority: 'low' });
          await stage.running('low');
          await stage.submit('high', type, { do: 'ok' }, { priority: 'high' });
          await stage.ends('high', { state: 'succeeded', attempts: 1 });
          await stage.ends('low', { state: 'succeeded', attempts: 1 });
        }),
    },
  ]),
  {
    name: 'asks an attempt to make room whose task is deleted meanwhile',
    run: (stage) =>
      withType(stage, TYPES.wait, { concurrency: 1, preemptible: true }, async (type) => {
        const lane = { tenant: stage.tenant, type };
        await comesTo(stage, { ...PREEMPT, command: READ.row }, async (n, comes) => {
          const low = await rowWithoutHint(stage, `low-${n}`, type, Date.now(), { do: 'make-room' }, 'low');
          await sendHint(stage, messageOf(low));
          await stage.running(low.id);
          const armed = stage.arm({ ...PREEMPT, kind: 'delay' });
          await stage.submit(`high-${n}`, type, { do: 'ok' }, { priority: 'high' });
          const ended = stage.ends(`high-${n}`, { state: 'succeeded', attempts: 1 });
          await Promise.race([armed.whenFired(), ended]);
          await deleteRow(stage, low.id);
          await comes();
          // Nothing names its permit any more, which would go with its lease.
          const { permits } = await stage.world.permits.read(lane, 0);
          await stage.world.permits.release(lane, 0, permits);
          await ended;
        });
      }),
  },
  {
    name: 'serves classes by turns',
    run: async (stage) => {
      await stage.submit('first', TYPES.narrow, { do: 'ok', ms: 1_500 });
      await stage.running('first');
      const classes: readonly Priority[] = ['high', 'high', 'high', 'high', 'normal', 'normal', 'low', 'low'];
      const ids = classes.map((priority, n) => `${priority}-${n}`);
      for (const [n, priority] of classes.entries()) await stage.submit(ids[n] ?? '', TYPES.narrow, { do: 'ok', ms: 100 }, { priority });
      await Promise.all(['first', ...ids].map((id) => stage.ends(id, { state: 'succeeded', attempts: 1 })));
    },
  },
  {
    name: 'gives a permit back that the pace of its lane does not let start',
    run: (stage) =>
      comesTo(stage, GIVE_BACK_UNPACED, async (n, comes) => {
        const rates = [{ limit: 1, perSeconds: 4 }];
        const over = { type: `type-of-${stage.tenant}-${n}`, concurrency: 5 * PERMITS_PER_CELL, adaptive: false, rates } as const;
        await withType(stage, TYPES.event, over, async (type) => {
          // What has just started is known to the first cell alone.
          const { steps } = claimRates(rates, [], 1, Date.now());
          await stage.world.permits.spend({ tenant: stage.tenant, type }, steps);
          await stage.submit(`task-${n}`, type, { do: 'ok' });
          await comes();
          await stage.ends(`task-${n}`, { state: 'succeeded', attempts: 1 });
        });
      }),
  },
  {
    name: 'tells a lane when its rates let it go on, as an attempt ends',
    run: (stage) =>
      paced(stage, async (type) => {
        await stage.submit('first', type, { do: 'ok', ms: 1_500 });
        await stage.running('first');
        await waitsUntold(stage, type);
        await stage.ends('first', { state: 'succeeded', attempts: 1 });
      }),
  },
  ...GIVEN_BACK.map(({ as, run }): Exercise => ({
    name: `tells a lane when its rates let it go on, ${as}`,
    run: (stage) => paced(stage, (type) => run(stage, type, () => waitsUntold(stage, type))),
  })),
];

async function paced(stage: Stage, run: (type: string) => Promise<void>): Promise<void> {
  await withType(stage, TYPES.event, { rates: [RATE] }, async (type) => {
    const over = run(type);
    await over;
    await stage.world.backlog.register({ tenant: stage.tenant, type }, Date.now());
    await stage.ends('untold', { state: 'succeeded', attempts: 1 });
  });
}

/** So long what was never an attempt holds permits at most, ms. */
const FULL_MS = 120_000;

/** The first of a lane's cells has been at its share for a round of successes, and has some permits left. @returns what fills it */
async function hasFilledItsShare({ world: { permits } }: Stage, lane: Lane, left: number): Promise<readonly Permit[]> {
  const limit = PERMITS_PER_CELL;
  const expiry = Date.now() + FULL_MS;
  const held = Array.from({ length: limit + 1 - left }, () => ({ expiry, nonce: systemRandom.nonce() }));
  const { cell } = await permits.acquire(lane, 0, held, limit);
  const aimd: Aimd = { ...initial(AIMD_DEFAULTS, PERMITS_PER_CELL), limit };
  const { adapted } = await permits.adapt(lane, 0, aimd, cell);
  if (!adapted) throw new Error('the cell was changed meanwhile');
  await permits.release(lane, 0, held.slice(0, 1), { good: limit });
  return held;
}
