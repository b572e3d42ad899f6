import { ApiError } from '@sluice/client';
import type { TaskRow } from '@sluice/contracts';
import { systemRandom } from '../../../adapters/system.ts';
import { TYPES } from '../app/types.ts';
import type { Stage } from '../world/stage.ts';
import type { Exercise } from './exercise.ts';
import { comesTo, deleteRow, messageOf, rowWithoutHint, sendHint, sendRecord, unwrittenRow } from './scenes.ts';
import { EXPIRE, LOOK_AGAIN, READ } from './sites.ts';

/** Where a row is read that a settled outcome did not find as it should be. */
const WRITE = { port: 'core/settle/settle-outcome write tasks.update', command: READ.row };
const FAR_MS = 30 * 60_000;
const PATIENCE_SECONDS = 10;

/** Hints and outcomes that come when nobody expects them, and tasks that expire. */
export const hints: readonly Exercise[] = [
  {
    name: 'puts a hint that comes too early back to its time',
    run: async (stage) => {
      const row = await rowWithoutHint(stage, 'task', TYPES.event, Date.now() + FAR_MS);
      await sendHint(stage, messageOf(row, { at: Date.now(), look: true }));
      await stage.until('the hint has been looked at', () => stage.seen('dispatch', 'core/hints/place putIntoBucket buckets.put'));
      await stage.client.cancel('task');
      await stage.ends('task', { state: 'cancelled', attempts: 0 });
    },
  },
  {
    name: 'runs a task once whose hint is there twice',
    run: async (stage) => {
      const row = await rowWithoutHint(stage, 'task', TYPES.event, Date.now());
      await sendHint(stage, messageOf(row));
      await sendHint(stage, messageOf(row, { look: true }));
      await stage.ends('task', { state: 'succeeded', attempts: 1 });
    },
  },
  {
    name: 'repeats the event of an end that its writer did not tell',
    run: async (stage) => {
      const row = await rowWithoutHint(stage, 'task', TYPES.event, Date.now());
      const now = Date.now();
      const written = await stage.world.tasks.update(stage.tenant, 'task', row, {
        set: { state: 'cancelled', reason: 'cancelled', endedAt: now, endedBy: 'hint', ttl: Math.ceil(now / 1_000) + 86_400 },
      });
      if (!written.applied) throw new Error('the row was changed meanwhile');
      await sendHint(stage, messageOf(row, { look: true }));
      await stage.ends('task', { state: 'cancelled', attempts: 0, lost: 0 });
    },
  },
  {
    name: 'looks again for a row that comes after its hint',
    run: async (stage) => {
      // A hint that comes a second time is looked at otherwise.
      await comesTo(stage, LOOK_AGAIN, async (n, comes) => {
        const row = unwrittenRow(stage, `task-${n}`, TYPES.event, Date.now());
        await sendHint(stage, messageOf(row));
        await comes();
        await stage.world.tasks.insert(row);
        await stage.ends(row.id, { state: 'succeeded', attempts: 1 });
      });
    },
  },
  {
    name: 'takes an attempt for lost whose lease has ended',
    run: async (stage) => {
      const row = await abandoned(stage, 'task');
      await sendHint(stage, messageOf(row));
      await stage.ends('task', { state: 'succeeded', attempts: 1, lost: 2 });
    },
  },
  ...[TYPES.narrow, TYPES.narrowWait].map((type): Exercise => ({
    name: `expires a task that waits too long ${type}`,
    run: async (stage) => {
      await stage.submit('first', type, { do: 'ok', ms: 3_000 });
      await stage.running('first');
      const expiresAt = new Date(Date.now() + 2_000).toISOString();
      const submitted = await stage.submit('second', type, { do: 'ok' }, { expiresAt }).catch((error: unknown) => error);
      await stage.ends('first', { state: 'succeeded', attempts: 1 });
      // A repeat of the submission may come after the expiry, when the first try has not been accepted or has.
      if (submitted instanceof ApiError && submitted.code === 'bad_request') return;
      if (submitted instanceof Error) throw submitted;
      // Where it was quicker than its expiry, it has begun in time.
      await stage.ends('second', { state: ['expired', 'succeeded'] });
    },
  })),
  {
    name: 'expires a task before its first attempt',
    run: async (stage) => {
      const row = await expiring(stage, 'task');
      await sendHint(stage, messageOf(row));
      await stage.ends('task', { state: 'expired', reason: 'expired', attempts: 0, lost: 0 });
    },
  },
  {
    name: 'meets a row that is deleted while it expires',
    run: async (stage) => {
      await comesTo(stage, { ...EXPIRE, command: READ.row }, async (n, comes) => {
        const row = await expiring(stage, `task-${n}`);
        const armed = stage.arm({ ...EXPIRE, kind: 'delay' });
        await sendHint(stage, messageOf(row));
        await armed.whenFired();
        await deleteRow(stage, row.id);
        await comes();
      });
    },
  },
  {
    name: 'keeps a success that comes after a failure',
    run: async (stage) => {
      await stage.submit('task', TYPES.event, { do: 'fatal' });
      const row = await stage.ends('task', { state: 'failed', reason: 'fatal', attempts: 1 });
      await sendRecord(stage, row);
      await stage.told(`${row.uid}:late:${row.fence}`);
      await stage.ends('task', { state: 'failed', reason: 'fatal', attempts: 1 });
    },
  },
  {
    name: 'keeps a reply that comes after a failure',
    run: async (stage) => {
      await stage.submit('task', TYPES.wait, { do: 'ok', ms: 3_000 });
      const row = await stage.running('task');
      await sendRecord(stage, row, 'FatalError');
      // The failure may come after the reply, or after a lost reply's lease.
      const { state, uid, fence } = await stage.ends('task', { state: ['failed', 'succeeded'] });
      // The reply is told as late, if it is not lost.
      const isTold = (): boolean => stage.world.events.get(`${uid}:late:${fence}`) !== undefined;
      if (state === 'failed') await stage.until('the reply is told', isTold, PATIENCE_SECONDS).catch(() => undefined);
    },
  },
  {
    name: 'takes an outcome of a task that is gone',
    run: async (stage) => {
      await sendRecord(stage, { id: 'never', uid: systemRandom.ulid(Date.now()), type: TYPES.event, fence: 1 });
      await stage.until('its row was looked for', () => stage.seen('settle', WRITE.port, WRITE.command));
    },
  },
  {
    name: 'takes a reply of a task that is gone',
    run: (stage) =>
      // It may have ended before its row is deleted.
      comesTo(stage, { ...WRITE, fn: 'dispatch' }, async (n, comes) => {
        const row = await rowWithoutHint(stage, `task-${n}`, TYPES.wait, Date.now(), { do: 'ok', ms: 3_000 });
        await sendHint(stage, messageOf(row));
        await stage.running(row.id);
        await deleteRow(stage, row.id);
        // Its permit goes with its lease, as nothing names it any more.
        await comes();
      }),
  },
];

/** A row that was claimed by somebody who was never heard of again, with its permit. */
async function abandoned(stage: Stage, id: string): Promise<TaskRow> {
  const row = await rowWithoutHint(stage, id, TYPES.event, Date.now() - 200_000);
  const permit = { expiry: Date.now() - 1_000, nonce: systemRandom.nonce() };
  await stage.world.permits.acquire({ tenant: stage.tenant, type: row.type }, 0, [permit], 5);
  const run = { hint: 1, mode: 'event' as const, claimedAt: row.at, leaseEnd: permit.expiry, cell: 0, nonce: permit.nonce };
  const written = await stage.world.tasks.update(stage.tenant, id, row, { set: { state: 'running', fence: 1, run, firstClaimAt: row.at } });
  if (!written.applied) throw new Error('the row was changed meanwhile');
  return written.row;
}

/** A row whose time to start is over. */
async function expiring(stage: Stage, id: string): Promise<TaskRow> {
  const row = await rowWithoutHint(stage, id, TYPES.event, Date.now() - 2_000);
  const written = await stage.world.tasks.update(stage.tenant, id, row, { set: { expiresAt: Date.now() - 1_000 } });
  if (!written.applied) throw new Error('the row was changed meanwhile');
  return written.row;
}
