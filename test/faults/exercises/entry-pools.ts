import type { TaskTypeSpec } from '@sluice/contracts';
import { systemRandom } from '../../../adapters/system.ts';
import { IN_LINE } from '../../../core/permits/entry-places.ts';
import { entryOfType } from '../../../core/permits/entry.ts';
import type { Permit } from '../../../core/ports/permit-store.ts';
import { claimOf } from '../../../core/retry/budget.ts';
import { TYPES } from '../app/types.ts';
import type { Stage } from '../world/stage.ts';
import type { Exercise } from './exercise.ts';
import { GIVEN_BACK } from './given-back.ts';
import { comesTo, waitsUntold } from './scenes.ts';
import { CALL_IN, COUNT_ENTERED, GIVE_BACK_EXPIRED, GIVE_BACK_OVER, GIVE_BACK_UNCOUNTED, LINE_UP } from './sites.ts';
import { withType } from './type-scenes.ts';

/** So little that one attempt at a time is all that a lane may have of its entry pool, and so much that it is small. */
const CAPACITY = 10;
const POOLED = { capacity: CAPACITY, concurrency: 3 } as const;
/** So much that a pool has several attempts before anybody wants some, and one attempt is too little for a share. */
const ROOMY = { capacity: 40, concurrency: 3 } as const;
/** Long enough for control to make a pool wider meanwhile, ms; a handler has eight seconds. */
const LONG_MS = 6_000;
/** So long what was never an attempt holds permits at most, ms. */
const FULL_MS = 120_000;
const RETRY_BUDGET = { percent: 20, perMinute: 1 } as const;
/** First attempts that let retries start again. */
const FIRSTS = 1_000;

/** What small lanes draw on together where a capacity is divided. */
export const entryPools: readonly Exercise[] = [
  {
    name: 'gives a permit of an entry pool back that its lane has beyond its part',
    run: (stage) =>
      ofItsOwn(stage, GIVE_BACK_OVER, POOLED, async (n, type, comes) => {
        await stage.submit(`first-${n}`, type, { do: 'ok', ms: LONG_MS });
        await stage.running(`first-${n}`);
        await stage.until('the pool has room for another', async () => (await poolOf(stage, type)).share > 1);
        // Whoever asks does not know what the lane has there.
        await stage.submit(`second-${n}`, type, { do: 'ok' });
        await comes();
        for (const id of ['first', 'second']) await stage.ends(`${id}-${n}`, { state: 'succeeded', attempts: 1 });
      }),
  },
  {
    name: 'takes expired permits out of an entry pool',
    run: (stage) =>
      ofItsOwn(
        stage,
        GIVE_BACK_EXPIRED,
        POOLED,
        async (n, type, comes) => {
          await stage.submit(`task-${n}`, type, { do: 'ok' });
          await comes();
          await stage.ends(`task-${n}`, { state: 'succeeded', attempts: 1 });
          await stage.until('the expired permits are gone', async () => (await poolOf(stage, type)).permits.length === 0);
        },
        (type) => fill(stage, type, Date.now() - 60_000),
      ),
  },
  {
    name: 'lines up for an entry pool that is full',
    run: async (stage) => {
      let held: readonly Permit[] = [];
      await ofItsOwn(
        stage,
        LINE_UP,
        POOLED,
        async (n, type, comes) => {
          await stage.submit(`task-${n}`, type, { do: 'ok' });
          await comes();
          await stage.world.permits.release(entryOfType(type), 0, held);
          await stage.ends(`task-${n}`, { state: 'succeeded', attempts: 1 });
        },
        async (type) => {
          held = await fill(stage, type, Date.now() + FULL_MS);
        },
      );
    },
  },
  {
    name: 'leaves the last room of an entry pool to those in line',
    run: (stage) =>
      ofItsOwn(stage, CALL_IN, ROOMY, async (n, type, comes) => {
        const { permits } = stage.world;
        await stage.until('the pool has its part', async () => (await poolOf(stage, type)).share > 1);
        const { share } = await poolOf(stage, type);
        const held = await fill(stage, type, Date.now() + FULL_MS, share - 1);
        await permits.lineUp(entryOfType(type), 0, `before-${stage.tenant}`, IN_LINE);
        await stage.submit(`task-${n}`, type, { do: 'ok' });
        await comes();
        await permits.release(entryOfType(type), 0, held);
        await stage.ends(`task-${n}`, { state: 'succeeded', attempts: 1 });
      }),
  },
  ...[TYPES.event, TYPES.wait].map((like): Exercise => ({
    name: `tells who is in line for an entry pool, as an attempt ends ${like}`,
    run: (stage) =>
      withType(stage, like, POOLED, async (type) => {
        await stage.submit('first', type, { do: 'ok', ms: 1_500 });
        await stage.running('first');
        await waitsInLine(stage, type);
        await stage.ends('first', { state: 'succeeded', attempts: 1 });
        await untoldEnds(stage, type);
      }),
  })),
  ...GIVEN_BACK.map(({ as, run }): Exercise => ({
    name: `tells who is in line for an entry pool, ${as}`,
    run: (stage) =>
      withType(stage, TYPES.event, POOLED, async (type) => {
        await run(stage, type, () => waitsInLine(stage, type));
        await untoldEnds(stage, type);
      }),
  })),
  {
    name: 'retries an attempt of an entry pool',
    run: (stage) =>
      withType(stage, TYPES.event, POOLED, async (type) => {
        await stage.submit('task', type, { do: 'fail-once' });
        await stage.ends('task', { state: 'succeeded', attempts: 2 });
      }),
  },
  {
    name: 'gives a permit of an entry pool back whose retry others have been quicker with',
    run: (stage) =>
      ofItsOwn(stage, GIVE_BACK_UNCOUNTED, { ...ROOMY, retryBudget: RETRY_BUDGET }, async (n, type, comes) => {
        const lane = { tenant: stage.tenant, type };
        const { permits, backlog } = stage.world;
        const counting = stage.arm({ ...COUNT_ENTERED, kind: 'hold' });
        await stage.submit(`task-${n}`, type, { do: 'fail-once' });
        const ended = stage.ends(`task-${n}`, { state: 'succeeded', attempts: 2 });
        await Promise.race([counting.whenFired(), ended]);
        await stage.until('the budget is used up', async () => {
          const { budget: known } = await permits.read(lane, 0);
          const { left, base, next } = claimOf(known, RETRY_BUDGET, 1, Date.now());
          const within = { seen: known?.next, base, next, most: (known?.retries ?? 0) + left };
          if (left > 0) await permits.count(lane, 0, { firsts: 0, retries: left, within });
          return left === 0;
        });
        counting.release();
        await comes();
        await permits.count(lane, 0, { firsts: FIRSTS, retries: 0 });
        await backlog.register(lane, Date.now());
        await ended;
      }),
  },
];

/** Plays a scene with a type of its own each time, until it has come to a call site. */
async function ofItsOwn(
  stage: Stage,
  site: Parameters<typeof comesTo>[1],
  over: Partial<TaskTypeSpec>,
  play: (n: number, type: string, comes: () => Promise<void>) => Promise<void>,
  before?: (type: string) => Promise<unknown>,
): Promise<void> {
  await comesTo(stage, site, (n, comes) =>
    withType(
      stage,
      TYPES.event,
      { ...over, type: `type-of-${stage.tenant}-${n}` },
      (type) => play(n, type, comes),
      async (type) => void (await before?.(type)),
    ),
  );
}

async function poolOf({ world: { permits } }: Stage, type: string): Promise<{ permits: readonly Permit[]; share: number }> {
  const cell = await permits.read(entryOfType(type), 0);
  return { permits: cell.permits, share: cell.share?.share ?? 0 };
}

/** The pool of a type that is not there yet has no room, whatever it will be given. @returns what fills it */
async function fill({ world: { permits } }: Stage, type: string, expiry: number, count = CAPACITY): Promise<readonly Permit[]> {
  const held = Array.from({ length: count }, () => ({ expiry, nonce: systemRandom.nonce() }));
  const { granted } = await permits.acquire(entryOfType(type), 0, held, count, undefined, { adaptive: false });
  if (!granted) throw new Error(`the entry pool of ${type} is in use`);
  return held;
}

/** A task in a backlog that nobody has heard of but the line for the pool. */
async function waitsInLine(stage: Stage, type: string): Promise<void> {
  await waitsUntold(stage, type);
  await stage.world.permits.lineUp(entryOfType(type), 0, stage.tenant, IN_LINE);
}

/** It is told, or where a fault has been in the way of that, found by the minute. */
async function untoldEnds(stage: Stage, type: string): Promise<void> {
  await stage.world.backlog.register({ tenant: stage.tenant, type }, Date.now());
  await stage.ends('untold', { state: 'succeeded', attempts: 1 });
}
