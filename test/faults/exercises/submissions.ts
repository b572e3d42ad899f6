import { ApiError } from '@sluice/client';
import { setTimeout as sleep } from 'node:timers/promises';
import { hostNameOf } from '../world/world.ts';
import { TYPES } from '../app/types.ts';
import type { Stage } from '../world/stage.ts';
import type { Exercise } from './exercise.ts';
import { backlogged, deleteRow } from './scenes.ts';
import { REPLACE } from './sites.ts';

const FAR_SECONDS = 30 * 60;

/** What `submit` is asked for: new ids, known ids, freed ids. */
export const submissions: readonly Exercise[] = [
  {
    name: 'answers a repeated submission with the task that is there',
    run: async (stage) => {
      const first = await stage.submit('task', TYPES.event, { do: 'ok' }, { delaySeconds: 3 });
      const second = await stage.submit('task', TYPES.event, { do: 'ok' }, { delaySeconds: 3 });
      if (second.uid !== first.uid || !second.deduplicated) throw new Error(`another task: ${JSON.stringify([first, second])}`);
      await stage.ends('task', { state: 'succeeded', attempts: 1 });
    },
  },
  {
    name: 'refuses another payload under the same id',
    run: async (stage) => {
      await stage.submit('task', TYPES.event, { do: 'ok' });
      const refused = await stage.submit('task', TYPES.event, { do: 'fatal' }).catch((error: unknown) => error);
      if (!(refused instanceof ApiError) || refused.code !== 'id_conflict') throw new Error(`not refused: ${String(refused)}`);
      await stage.ends('task', { state: 'succeeded', attempts: 1 });
    },
  },
  {
    name: 'accepts many tasks in one call',
    run: async (stage) => {
      const ids = Array.from({ length: 12 }, (_, n) => `task-${n}`);
      const accepted = await Promise.all(ids.map((id) => stage.submit(id, TYPES.event, { do: 'ok' })));
      if (new Set(accepted.map(({ uid }) => uid)).size !== ids.length) throw new Error('ids share a task');
      await Promise.all(ids.map((id) => stage.ends(id, { state: 'succeeded', attempts: 1 })));
    },
  },
  {
    name: 'frees the id of a failed task',
    run: async (stage) => {
      const first = await stage.submit('task', TYPES.event, { do: 'fatal' });
      await stage.ends('task', { state: 'failed', reason: 'fatal' });
      const second = await stage.submit('task', TYPES.event, { do: 'ok' });
      if (second.uid === first.uid) throw new Error('it is the task that failed');
      await stage.ends('task', { state: 'succeeded', attempts: 1 }, second.uid);
      await stage.told(`${first.uid}:failed`);
    },
  },
  {
    name: 'frees an id that is deleted meanwhile',
    run: async (stage) => {
      await stage.submit('task', TYPES.event, { do: 'fatal' });
      await stage.ends('task', { state: 'failed', reason: 'fatal' });
      const replacing = stage.arm({ ...REPLACE, fn: 'submit', kind: 'delay' });
      const submitted = stage.submit('task', TYPES.event, { do: 'ok' });
      await Promise.race([replacing.whenFired(), submitted]);
      await deleteRow(stage, 'task');
      const { uid } = await submitted;
      await stage.ends('task', { state: 'succeeded', attempts: 1 }, uid);
    },
  },
  {
    name: 'tells the lane of a freed id that it has a permit',
    run: async (stage) => {
      const lane = { tenant: stage.tenant, type: TYPES.narrow };
      await stage.submit('task', TYPES.narrow, { do: 'fatal' });
      await stage.ends('task', { state: 'failed', reason: 'fatal' });
      const others = ['slow-1', 'slow-2', 'slow-3'];
      for (const id of others) await stage.submit(id, TYPES.narrow, { do: 'ok', ms: 1_200 });
      await backlogged(stage, lane);
      const { uid } = await stage.submit('task', TYPES.narrow, { do: 'ok' });
      await Promise.all(others.map((id) => stage.ends(id, { state: 'succeeded', attempts: 1 })));
      await stage.ends('task', { state: 'succeeded', attempts: 1 }, uid);
    },
  },
  {
    name: 'frees an id in a lane with an expired permit',
    run: async (stage) => {
      await stage.submit('task', TYPES.event, { do: 'fatal' });
      await stage.ends('task', { state: 'failed', reason: 'fatal' });
      const lane = { tenant: stage.tenant, type: TYPES.event };
      await stage.world.permits.acquire(lane, 0, [{ expiry: Date.now() - 60_000, nonce: 'forgotten' }], 5);
      const { uid } = await stage.submit('task', TYPES.event, { do: 'ok' });
      await stage.ends('task', { state: 'succeeded', attempts: 1 }, uid);
    },
  },
  {
    name: 'keeps a far task in a bucket until it is cancelled',
    run: async (stage) => {
      await stage.submit('task', TYPES.event, { do: 'ok' }, { delaySeconds: FAR_SECONDS });
      await stage.client.cancel('task');
      await stage.ends('task', { state: 'cancelled', attempts: 0, lost: 0 });
    },
  },
  {
    name: 'takes a submission that is signed',
    run: async (stage) => {
      const accepted = await signed(stage, 'submit', 'POST /v1/tasks', { id: 'task', type: TYPES.event, payload: { do: 'ok' } });
      if (accepted !== 200 && accepted !== 201) throw new Error(`answered ${accepted}`);
      await stage.ends('task', { state: 'succeeded', attempts: 1 });
      const got = await signed(stage, 'api', 'GET /v1/tasks/{id}', undefined, { id: 'task' });
      if (got !== 200) throw new Error(`answered ${got}`);
    },
  },
];

/** Calls that a caller makes again until they are answered. */
const TRIES = 12;
const PAUSE_MS = 500;

/**
 * A request as the gateway hands on one that was signed with SigV4, whose signature it has checked: the embedded gateway
 * checks none.
 */
async function signed(stage: Stage, fn: string, routeKey: string, body: unknown, pathParameters = {}): Promise<number> {
  const arn = `arn:aws:iam::111122223333:role/${stage.tenant}`;
  await stage.world.tokens.putPrincipal({ v: 1, arn, tenant: stage.tenant, scopes: ['submit', 'read'], createdAt: Date.now() });
  const event = {
    version: '2.0',
    routeKey,
    rawQueryString: '',
    headers: {},
    pathParameters,
    requestContext: { requestId: stage.tenant, authorizer: { iam: { userArn: arn } } },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    isBase64Encoded: false,
  };
  for (let tries = 1; ; tries++) {
    const outcome = await stage.world.host.invoke(hostNameOf(fn), event);
    const answered = outcome.kind === 'completed' && outcome.functionError === undefined;
    const { statusCode } = answered ? (JSON.parse(outcome.payload) as { statusCode: number }) : { statusCode: 500 };
    if (statusCode < 500 || tries === TRIES) return statusCode;
    await sleep(PAUSE_MS);
  }
}
