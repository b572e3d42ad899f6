import { LIMITS, ROUTES } from '@sluice/contracts';
import { WAITS_PER_TENANT } from '../../../core/api/wait-for-task.ts';
import type { Lane } from '../../../core/ports/permit-store.ts';
import { TYPES } from '../app/types.ts';
import type { Stage } from '../world/stage.ts';
import type { Exercise } from './exercise.ts';
import { TAKE_PLACE } from './sites.ts';

/** The lane that long polls take their places in. */
const WAITS: Lane = { tenant: '_', type: '_wait' };
/** A list that goes back further asks for every day. */
const HOUR_MS = 3_600_000;
/** ms that a place lives here. */
const PLACE_MS = 8_000;

/** What `api` tells of tasks. */
export const reads: readonly Exercise[] = [
  {
    name: 'shows a task with its attempts and values',
    run: async (stage) => {
      await stage.submit('task', TYPES.event, { do: 'fail-once', filler: 'x'.repeat(2_000), resultBytes: 20_000 });
      await stage.ends('task', { state: 'succeeded', attempts: 2 });
      const task = await stage.client.get('task', { include: ['payload', 'result'] });
      const { filler } = task.result as { filler: string };
      if (filler.length !== 20_000) throw new Error(`the result has ${filler.length} bytes`);
      const outcomes = task.timeline.attempts.map(({ outcome }) => outcome).filter((outcome) => outcome !== 'lost');
      if (outcomes.join() !== 'retryable,succeeded') throw new Error(`its attempts were ${outcomes.join()}`);
    },
  },
  {
    name: 'lists tasks',
    run: async (stage) => {
      const ids = ['a', 'b', 'c'];
      for (const id of ids) await stage.submit(id, TYPES.event, { do: 'ok' });
      await Promise.all(ids.map((id) => stage.ends(id, { state: 'succeeded', attempts: 1 })));
      const listed: string[] = [];
      for await (const { id } of stage.client.list({ pageSize: 2, from: new Date(Date.now() - HOUR_MS) })) listed.push(id);
      if (listed.join() !== 'c,b,a') throw new Error(`the list is ${listed.join()}`);
    },
  },
  {
    name: 'waits for a task',
    alone: 'waits',
    run: async (stage) => {
      await stage.submit('task', TYPES.event, { do: 'ok' }, { delaySeconds: 3 });
      const task = await stage.client.wait('task');
      if (task.state !== 'succeeded') throw new Error(`it is ${task.state}`);
      await stage.ends('task', { state: 'succeeded', attempts: 1 });
    },
  },
  {
    name: 'waits where all places have expired',
    alone: 'waits',
    run: async (stage) => {
      await takePlaces(stage, LIMITS.waitsAtOnce, Date.now() - 60_000);
      await waitsBriefly(stage);
    },
  },
  {
    name: 'does not wait beyond the places of a tenant',
    alone: 'waits',
    run: async (stage) => {
      await takePlaces(stage, WAITS_PER_TENANT, Date.now() + PLACE_MS);
      await waitsBriefly(stage);
    },
  },
  {
    name: 'waits without a place when none can be taken',
    alone: 'waits',
    run: async (stage) => {
      stage.arm({ ...TAKE_PLACE, kind: 'fail' });
      await waitsBriefly(stage);
    },
  },
  {
    name: 'tells an attempt whether it shall go on',
    run: async (stage) => {
      await stage.submit('task', TYPES.event, { do: 'ok', ms: 3_000 });
      const { uid, fence, run } = await stage.running('task');
      const question = { tenant: stage.tenant, task: 'task', uid, fence, key: run?.nonce };
      const answered = await stage.answered(ROUTES.attempt.path, { method: 'POST', body: JSON.stringify(question) });
      const { state } = (await answered.json()) as { state: string };
      if (state !== 'running' && state !== 'over') throw new Error(`the answer was ${state}`);
      await stage.ends('task', { state: 'succeeded', attempts: 1 });
    },
  },
];

/** Takes places in the name of this tenant, and leaves no others. */
async function takePlaces(stage: Stage, count: number, expiry: number): Promise<void> {
  const { permits } = await stage.world.permits.read(WAITS, 0);
  await stage.world.permits.release(WAITS, 0, permits);
  const places = Array.from({ length: count }, (_, n) => ({ expiry, nonce: `${stage.placeName}${n}` }));
  await stage.world.permits.acquire(WAITS, 0, places, LIMITS.waitsAtOnce);
}

async function waitsBriefly(stage: Stage): Promise<void> {
  await stage.submit('task', TYPES.event, { do: 'ok' }, { delaySeconds: 2 });
  await stage.answered('/v1/tasks/task/result?wait=1');
  await stage.ends('task', { state: 'succeeded', attempts: 1 });
}
