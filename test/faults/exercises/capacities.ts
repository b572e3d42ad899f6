import { DeleteCommand } from '@aws-sdk/lib-dynamodb';
import type { Grant, TaskTypeSpec } from '@sluice/contracts';
import { laneListKey } from '../../../adapters/aws/keys.ts';
import { livePermits } from '../../../core/permits/cells.ts';
import { entryOf } from '../../../core/limits/entry.ts';
import { entryOfType } from '../../../core/permits/entry.ts';
import type { Lane } from '../../../core/ports/permit-store.ts';
import { TYPES } from '../app/types.ts';
import type { Stage } from '../world/stage.ts';
import type { Exercise } from './exercise.ts';
import { comesTo } from './scenes.ts';
import { ASK_LATER, FORGET, GRANT, SHARE, STANDING } from './sites.ts';
import { withType } from './type-scenes.ts';

const IDS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
/** Longer than a lane keeps a share for which it has no work. */
const IDLE_MS = 3_600_000;

/** Capacities that control divides among lanes: what nobody may ever have is more than there is. */
export const capacities: readonly Exercise[] = [
  ...[2, 6].map((capacity): Exercise => ({
    name: `divides a capacity of ${capacity}`,
    ticks: ['control'],
    run: (stage) =>
      withType(stage, TYPES.event, { capacity, concurrency: 3 }, async (type) => {
        const work = (async () => {
          for (const id of IDS) await stage.submit(id, type, { do: 'ok', ms: 500 });
          await Promise.all(IDS.map((id) => stage.ends(id, { state: 'succeeded', attempts: 1 })));
        })();
        await neverMore(stage, type, capacity, work);
      }),
  })),
  {
    name: 'takes the share of a lane back that has no work',
    run: (stage) =>
      withType(stage, TYPES.event, { capacity: 4, concurrency: 3 }, (type) =>
        // A process of control that does not know the type yet takes it back as well.
        comesTo(stage, FORGET, async (n) => {
          const lane = { tenant: stage.tenant, type };
          if (n === 0) {
            await stage.submit('task', type, { do: 'ok' });
            await stage.ends('task', { state: 'succeeded', attempts: 1 });
            await stage.until('the lane has a share', async () => sumOf(await grantOf(stage, type)) > 0);
          } else {
            await stage.world.divisions.put(lane, { v: 1, ...lane, shares: [0], idleSince: Date.now() - IDLE_MS });
          }
          await stage.until('the share is given up', async () => {
            // The minute takes the note of a lane away after some minutes.
            const { clients, table: TableName } = stage.world;
            await clients.dynamodb.send(new DeleteCommand({ TableName, Key: laneListKey(lane) }));
            const grant = await grantOf(stage, type);
            if (grant && (grant.idleSince ?? Date.now()) > Date.now() - IDLE_MS / 2) {
              await stage.world.divisions.put(grant, { ...grant, idleSince: Date.now() - IDLE_MS });
            }
            return grant === undefined;
          });
          const { share } = await stage.world.permits.read(lane, 0);
          if ((share?.share ?? 0) > 0) throw new Error(`a lane without a grant has a share of ${share?.share}`);
        }),
      ),
  },
  {
    name: 'caps a tenant, and does not any more',
    ticks: ['control'],
    run: async (stage) => {
      const { quotas } = await stage.operator();
      const type = TYPES.event;
      await quotas.put(stage.tenant, { cap: 2, guaranteed: 1, weight: 2 });
      await stage.until('it is capped', async () => (await grantOf(stage, type))?.closed === true);
      for (const id of IDS) await stage.submit(id, type, { do: 'ok', ms: 200 });
      await Promise.all(IDS.map((id) => stage.ends(id, { state: 'succeeded', attempts: 1 })));
      await quotas.delete(stage.tenant);
      await stage.until('nothing is granted any more', async () => {
        const grants = await stage.world.divisions.grants();
        return !grants.some(({ tenant }) => tenant === stage.tenant);
      });
      const { share } = await stage.world.permits.read({ tenant: stage.tenant, type }, 0);
      if (share?.share !== undefined) throw new Error(`a lane of a type that is not divided has a share of ${share.share}`);
    },
  },
  {
    name: 'keeps its lease while a round takes long',
    ticks: ['control'],
    of: '#keepLease',
    run: async (stage) => {
      // Where the two lanes of a type are written one after the other, it does not take long enough.
      for (let n = 0; n < 2; n++) {
        await ofOne(stage, n, async (type) => {
          // Those of both its lanes: the tenant's and that of newcomers.
          for (const site of [STANDING, GRANT, SHARE]) for (let each = 0; each < 3; each++) stage.arm({ ...site, kind: 'delay' });
          await stage.submit(`task-${n}`, type, { do: 'ok' });
          await stage.ends(`task-${n}`, { state: 'succeeded', attempts: 1 });
        });
      }
    },
  },
  {
    name: 'asks for another round where one is at work',
    run: async (stage) => {
      const { quotas } = await stage.operator();
      await comesTo(stage, ASK_LATER, (n, comes) =>
        ofOne(stage, n, async (type) => {
          const [granting] = [GRANT, SHARE].map((site) => stage.arm({ ...site, kind: 'delay' }));
          await stage.submit(`task-${n}`, type, { do: 'ok' });
          const ended = stage.ends(`task-${n}`, { state: 'succeeded', attempts: 1 });
          await Promise.race([granting?.whenFired(), ended]);
          await quotas.put(stage.tenant, { weight: n + 1 });
          await comes();
          await ended;
        }),
      );
      await quotas.delete(stage.tenant);
    },
  },
];

/** A type of its own for one time that a scene is played. */
async function ofOne(stage: Stage, n: number, run: (type: string) => Promise<void>): Promise<void> {
  const over: Partial<TaskTypeSpec> = { type: `type-of-${stage.tenant}-${n}`, capacity: 4, concurrency: 3 };
  await withType(stage, TYPES.event, over, run);
}

async function grantOf(stage: Stage, type: string): Promise<Grant | undefined> {
  return (await stage.world.divisions.grants()).find((grant) => grant.tenant === stage.tenant && grant.type === type);
}

function sumOf(grant: Grant | undefined): number {
  return (grant?.shares ?? []).reduce((sum, share) => sum + share, 0);
}

/** Looks, for as long as there is work, at what the one lane of a type and the newcomers to it have. */
async function neverMore(stage: Stage, type: string, capacity: number, work: Promise<void>): Promise<void> {
  let isOver = false;
  const ended = work.finally(() => (isOver = true));
  const entry = entryOf(capacity);
  const looking = stage.until('the work is done', async () => {
    await noMoreThan(stage, { tenant: stage.tenant, type }, capacity - entry);
    await noMoreThan(stage, entryOfType(type), entry);
    return isOver;
  });
  await Promise.all([ended, looking]);
}

async function noMoreThan(stage: Stage, lane: Lane, most: number): Promise<void> {
  const cell = await stage.world.permits.read(lane, 0);
  const held = livePermits(cell, Date.now()).length;
  const share = cell.share?.share ?? 0;
  if (Math.max(held, share) > most)
    throw new Error(`${lane.tenant}'s lane of ${lane.type} holds ${held} of ${share}, and ${most} are its most`);
}
