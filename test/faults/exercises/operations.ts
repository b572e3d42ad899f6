import { ApiError } from '@sluice/client';
import { TYPES, type TypeName } from '../app/types.ts';
import type { Script } from '../app/handler.ts';
import type { Stage } from '../world/stage.ts';
import type { Exercise } from './exercise.ts';
import { backlogged, deleteRow } from './scenes.ts';
import { CANCEL, REPLACE } from './sites.ts';

const FAR_SECONDS = 30 * 60;

/** What a tenant does to its tasks: cancel and retry. */
export const operations: readonly Exercise[] = [
  {
    name: 'cancels a task that waits',
    run: async (stage) => {
      await stage.submit('task', TYPES.event, { do: 'ok' }, { delaySeconds: 20 });
      const { state } = await stage.client.cancel('task');
      if (state !== 'cancelled') throw new Error(`the answer says ${state}`);
      await stage.ends('task', { state: 'cancelled', attempts: 0, lost: 0 });
    },
  },
  {
    name: 'cancels a task that runs',
    run: async (stage) => {
      await stage.submit('task', TYPES.event, { do: 'fail', ms: 3_000 });
      await stage.running('task');
      await stage.client.cancel('task');
      await stage.ends('task', { state: 'cancelled' });
    },
  },
  {
    name: 'cancels a task that is deleted meanwhile',
    run: async (stage) => {
      await stage.submit('task', TYPES.event, { do: 'ok' }, { delaySeconds: 20 });
      const armed = stage.arm({ ...CANCEL, kind: 'delay' });
      const cancelled = stage.client.cancel('task').catch((error: unknown) => error);
      await armed.whenFired();
      await deleteRow(stage, 'task');
      const answer = await cancelled;
      if (!(answer instanceof ApiError) || answer.code !== 'not_found') throw new Error(`not refused: ${JSON.stringify(answer)}`);
    },
  },
  ...[0, 2_000, 20_000].map((bytes): Exercise => ({
    name: `retries a task with a payload of ${bytes} bytes`,
    run: async (stage) => {
      const { uid } = await fails(stage, TYPES.event, bytes === 0 ? {} : { filler: 'x'.repeat(bytes) });
      const again = await stage.client.retry('task', { uid });
      if (again.uid === uid) throw new Error('it is the task that failed');
      await stage.ends('task', { state: 'failed', reason: 'fatal', attempts: 1 }, again.uid);
      const task = await stage.client.get('task', { include: ['payload'] });
      if (((task.payload as Script).filler?.length ?? 0) !== bytes) throw new Error('the payload is another one');
    },
  })),
  {
    name: 'retries a task in a lane with an expired permit',
    run: async (stage) => {
      const { uid } = await fails(stage, TYPES.event);
      const lane = { tenant: stage.tenant, type: TYPES.event };
      await stage.world.permits.acquire(lane, 0, [{ expiry: Date.now() - 60_000, nonce: 'forgotten' }], 5);
      const again = await stage.client.retry('task', { uid });
      await stage.ends('task', { state: 'failed', reason: 'fatal', attempts: 1 }, again.uid);
    },
  },
  {
    name: 'retries a task in a lane with a backlog',
    run: async (stage) => {
      const lane = { tenant: stage.tenant, type: TYPES.narrow };
      const { uid } = await fails(stage, TYPES.narrow);
      const others = ['slow-1', 'slow-2', 'slow-3'];
      for (const id of others) await stage.submit(id, TYPES.narrow, { do: 'ok', ms: 1_200 });
      await backlogged(stage, lane);
      const again = await stage.client.retry('task', { uid });
      await Promise.all(others.map((id) => stage.ends(id, { state: 'succeeded', attempts: 1 })));
      await stage.ends('task', { state: 'failed', reason: 'fatal', attempts: 1 }, again.uid);
    },
  },
  {
    name: 'retries a task that is deleted meanwhile',
    run: async (stage) => {
      const { uid } = await fails(stage, TYPES.event);
      const armed = stage.arm({ ...REPLACE, fn: 'api', kind: 'delay' });
      const retried = stage.client.retry('task', { uid });
      await Promise.race([armed.whenFired(), retried]);
      await deleteRow(stage, 'task');
      // A repeat of the call finds no task to retry, but what it began may stand.
      const answer = await retried.catch((error: unknown) => error);
      if (answer instanceof ApiError && answer.code === 'not_found') return;
      if (answer instanceof Error) throw answer;
      await stage.ends('task', { state: 'failed', reason: 'fatal', attempts: 1 });
    },
  },
  {
    name: 'retries a task that is submitted anew meanwhile',
    run: async (stage) => {
      const { uid } = await fails(stage, TYPES.event);
      const armed = stage.arm({ ...REPLACE, fn: 'api', kind: 'delay' });
      const retried = stage.client.retry('task', { uid }).catch((error: unknown) => error);
      await Promise.race([armed.whenFired(), retried]);
      const submitted = await stage
        .submit('task', TYPES.event, { do: 'fatal' }, { delaySeconds: FAR_SECONDS })
        .catch((error: unknown) => error);
      const answer = await retried;
      // Whichever came first, there is one task, and both know it or were told why not.
      for (const each of [submitted, answer]) if (each instanceof Error && !(each instanceof ApiError)) throw each;
      const { state } = await stage.client.get('task');
      if (state === 'waiting') await stage.client.cancel('task').catch((error: unknown) => refusal(error));
      await stage.ends('task', { state: ['cancelled', 'failed'] });
    },
  },
];

/** A conflict is an answer. */
function refusal(error: unknown): void {
  if (!(error instanceof ApiError) || error.code !== 'state_conflict') throw error;
}

async function fails(stage: Stage, type: TypeName, script: Partial<Script> = {}): Promise<{ uid: string }> {
  const { uid } = await stage.submit('task', type, { do: 'fatal', ...script });
  await stage.ends('task', { state: 'failed', reason: 'fatal', attempts: 1 });
  return { uid };
}
