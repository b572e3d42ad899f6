import { DeleteCommand } from '@aws-sdk/lib-dynamodb';
import type { Grant, TaskTypeSpec } from '@sluice/contracts';
import { setTimeout as sleep } from 'node:timers/promises';
import { laneListKey } from '../../../adapters/aws/keys.ts';
import { livePermits } from '../../../core/permits/cells.ts';
import { entryOfType } from '../../../core/permits/entry.ts';
import type { Cell } from '../../../core/ports/permit-store.ts';
import { TYPES } from '../app/types.ts';
import type { Stage } from '../world/stage.ts';
import type { Exercise } from './exercise.ts';
import { comesTo } from './scenes.ts';
import { ASK_LATER, FORGET, FORGET_OWN, GRANT, SHARE, STANDING } from './sites.ts';
import { withType } from './type-scenes.ts';

const IDS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
/** Longer than a lane keeps a share for which it has no work. */
const IDLE_MS = 3_600_000;
/** Rates that hold nothing back. */
const FAST = { limit: 100, perSeconds: 1 } as const;
/** ms that a call of control is held for: two of them are longer than what it has read with the types is used. */
const HELD_MS = 3_000;

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
          // One that wants more than a lane may have of the entry pool has a share.
          if (n === 0) await worksUntilShared(stage, type, IDS);
          else await grantNothing(stage, type, undefined);
          await givesUp(stage, type);
        }),
      ),
  },
  {
    name: 'takes the share of a lane back that has no work, and draws on no entry pool',
    run: (stage) =>
      withType(stage, TYPES.event, { capacity: 4, concurrency: 3, rates: [FAST] }, (type) =>
        comesTo(stage, FORGET_OWN, async (n) => {
          if (n === 0) await worksUntilShared(stage, type, ['task']);
          else await grantNothing(stage, type, Date.now() - IDLE_MS);
          await givesUp(stage, type);
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
    name: 'asks for the routing anew in a round that takes long',
    ticks: ['control'],
    of: 'RoutingMap',
    run: (stage) =>
      // A lane with rates has a share however small it is, and is told of it.
      withType(stage, TYPES.event, { capacity: 4, concurrency: 3, rates: [FAST] }, async (type) => {
        await stage.until('the type has been divided', async () => {
          const { share } = await stage.world.permits.read(entryOfType(type), 0);
          return (share?.share ?? 0) > 0;
        });
        const holds = [GRANT, SHARE].map((site) => stage.arm({ ...site, kind: 'hold' }));
        await stage.submit('task', type, { do: 'ok' });
        const ended = stage.ends('task', { state: 'succeeded', attempts: 1 });
        for (const held of holds) {
          await Promise.race([held.whenFired(), ended]);
          await sleep(HELD_MS);
          held.release();
        }
        await ended;
      }),
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

async function worksUntilShared(stage: Stage, type: string, ids: readonly string[]): Promise<void> {
  const isShared = async (): Promise<boolean> => (await grantOf(stage, type))?.shares.some((share) => share > 0) === true;
  for (const id of ids) await stage.submit(id, type, { do: 'ok', ms: 200 });
  await Promise.all([
    stage.until('the lane has a share', isShared),
    ...ids.map((id) => stage.ends(id, { state: 'succeeded', attempts: 1 })),
  ]);
}

/** As a round leaves it that dies before it forgets a lane. */
async function grantNothing(stage: Stage, type: string, idleSince: number | undefined): Promise<void> {
  const lane = { tenant: stage.tenant, type };
  await stage.world.divisions.put(lane, { v: 1, ...lane, shares: [0], ...(idleSince !== undefined && { idleSince }) });
}

/** A lane without work has no share any more, once it has had no work for long. */
async function givesUp(stage: Stage, type: string): Promise<void> {
  const lane = { tenant: stage.tenant, type };
  await stage.until('the share is given up', async () => {
    // The minute takes the note of a lane away after some minutes.
    const { clients, table: TableName } = stage.world;
    await clients.dynamodb.send(new DeleteCommand({ TableName, Key: laneListKey(lane) }));
    const grant = await grantOf(stage, type);
    if (grant?.idleSince !== undefined && grant.idleSince > Date.now() - IDLE_MS / 2) {
      await stage.world.divisions.put(grant, { ...grant, idleSince: Date.now() - IDLE_MS });
    }
    return grant === undefined;
  });
  const { share } = await stage.world.permits.read(lane, 0);
  if ((share?.share ?? 0) > 0) throw new Error(`a lane without a grant has a share of ${share?.share}`);
}

/** Looks, for as long as there is work, at what the one lane of a type and its entry pool have together. */
async function neverMore(stage: Stage, type: string, capacity: number, work: Promise<void>): Promise<void> {
  let isOver = false;
  const ended = work.finally(() => (isOver = true));
  const looking = stage.until('the work is done', async () => {
    const { permits } = stage.world;
    const before = await permits.read(entryOfType(type), 0);
    const lane = takenOf(await permits.read({ tenant: stage.tenant, type }, 0));
    // What the pool has had before and after, it had in between.
    const pool = takenOf(inBoth(before, await permits.read(entryOfType(type), 0)));
    if (lane + pool > capacity) throw new Error(`the lane of ${type} takes ${lane} and its entry pool ${pool} of ${capacity}`);
    return isOver;
  });
  await Promise.all([ended, looking]);
}

/** What it may have, or holds if that is more. */
function takenOf(cell: Pick<Cell, 'permits' | 'share'>): number {
  return Math.max(livePermits(cell, Date.now()).length, cell.share?.share ?? 0);
}

function inBoth(one: Cell, other: Cell): Pick<Cell, 'permits' | 'share'> {
  const permits = other.permits.filter(({ nonce }) => one.permits.some((each) => each.nonce === nonce));
  return { permits, ...(other.share?.version === one.share?.version && other.share && { share: other.share }) };
}
