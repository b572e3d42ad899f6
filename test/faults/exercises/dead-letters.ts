import { ulid } from 'ulid';
import { hintOf } from '../../../core/tasks/state.ts';
import { TYPES } from '../app/types.ts';
import type { Script } from '../app/handler.ts';
import { ENDS_QUEUE } from '../world/receivers.ts';
import type { Stage } from '../world/stage.ts';
import { again } from './again.ts';
import type { Exercise } from './exercise.ts';
import { backlogged, deleteRow, rowWithoutHint } from './scenes.ts';
import { BEGIN_REDRIVE, LINK, REPLACE, SAVE_REDRIVE } from './sites.ts';

const IDS = ['first', 'second'];
const HOUR_MS = 3_600_000;

/** Dead letters: to look for them, and to run them again, one or many. */
export const deadLetters: readonly Exercise[] = [
  {
    name: 'lists dead letters',
    run: async (stage) => {
      await dead(stage);
      const listed: string[] = [];
      for await (const { id } of stage.client.dead.list({ pageSize: 1, from: new Date(Date.now() - HOUR_MS) })) listed.push(id);
      if (listed.toSorted().join() !== IDS.join()) throw new Error(`the list is ${listed.join()}`);
      const plan = await stage.client.redrives.plan({ ids: IDS });
      if (plan.count !== IDS.length) throw new Error(`the plan has ${plan.count} tasks`);
    },
  },
  {
    name: 'retries a dead letter with another payload',
    run: async (stage) => {
      await dead(stage, {}, ['first']);
      const made = await stage.client.retry('first', { as: { payload: { do: 'ok' } } });
      await stage.ends(made.id, { state: 'succeeded', attempts: 1 });
    },
  },
  {
    name: 'retries a dead letter with another payload that is deleted meanwhile',
    run: async (stage) => {
      await dead(stage, {}, ['first']);
      const { uid } = await stage.client.get('first');
      const armed = stage.arm({ ...LINK, kind: 'delay' });
      const retried = stage.client.retry('first', { uid, as: { payload: { do: 'ok' }, id: 'made' } }).catch((error: unknown) => error);
      await Promise.race([armed.whenFired(), retried]);
      await deleteRow(stage, 'first');
      await retried;
      await stage.ends('made', { state: 'succeeded', attempts: 1 });
    },
  },
  ...[0, 2_000, 20_000].map((bytes): Exercise => ({
    name: `redrives dead letters with a payload of ${bytes} bytes`,
    run: async (stage) => {
      const olds = await dead(stage, bytes === 0 ? {} : { filler: 'x'.repeat(bytes) });
      const { id } = await stage.client.redrives.create({ filter: {} });
      await redriven(stage, id, olds);
    },
  })),
  {
    name: 'redrives tasks by their ids after a first wave',
    run: async (stage) => {
      const olds = await dead(stage);
      const canary = { tasks: 1, maxFailureShare: 1, waitSeconds: 30 };
      const { id } = await stage.client.redrives.create({ ids: IDS, canary });
      await redriven(stage, id, olds);
      const listed: string[] = [];
      for await (const each of stage.client.redrives.list()) listed.push(each.id);
      if (listed.join() !== id) throw new Error(`the list is ${listed.join()}`);
    },
  },
  {
    name: 'pauses and resumes a redrive',
    run: async (stage) => {
      const olds = await dead(stage);
      const saving = stage.arm({ ...SAVE_REDRIVE, kind: 'delay' });
      const { id } = await stage.client.redrives.create({ ids: IDS, ratePerSecond: 1 });
      await Promise.race([saving.whenFired(), hasEnded(stage, id)]);
      await stage.client.redrives.pause(id).catch((error: unknown) => ignored(error));
      await stage.client.redrives.resume(id).catch((error: unknown) => ignored(error));
      await redriven(stage, id, olds);
    },
  },
  {
    name: 'tells of a redrive that stands still, and lets it go on',
    run: async (stage) => {
      const olds = await dead(stage);
      const id = await standsStill(stage);
      const { stalled } = await stage.client.redrives.get(id);
      if (stalled !== true) throw new Error('a redrive that nothing drives is not told as stalled');
      await again(() => stage.client.redrives.resume(id), 'state_conflict');
      await redriven(stage, id, olds);
    },
  },
  {
    name: 'begins a redrive twice at once',
    run: async (stage) => {
      const olds = await dead(stage);
      const id = ulid();
      const inserting = stage.arm({ ...BEGIN_REDRIVE, kind: 'delay' });
      const first = stage.client.redrives.create({ id, ids: IDS });
      await Promise.race([inserting.whenFired(), first]);
      const second = await stage.client.redrives.create({ id, ids: IDS });
      if ((await first).id !== second.id) throw new Error('there are two redrives');
      await redriven(stage, id, olds);
    },
  },
  {
    name: 'redrives a task that is deleted meanwhile',
    run: async (stage) => {
      await dead(stage, {}, ['first']);
      const replacing = stage.arm({ ...REPLACE, fn: 'system', kind: 'delay' });
      const { id } = await stage.client.redrives.create({ ids: ['first'] });
      await Promise.race([replacing.whenFired(), hasEnded(stage, id)]);
      await deleteRow(stage, 'first');
      await hasEnded(stage, id);
      await ignoredWhereGone(stage, 'first');
    },
  },
  {
    name: 'redrives a task in a lane with an expired permit',
    run: async (stage) => {
      const olds = await dead(stage);
      await stage.world.permits.acquire({ tenant: stage.tenant, type: TYPES.event }, 0, [{ expiry: Date.now() - 60_000, nonce: 'old' }], 5);
      const { id } = await stage.client.redrives.create({ ids: IDS });
      await redriven(stage, id, olds);
    },
  },
  {
    name: 'redrives a task in a lane with a backlog',
    run: async (stage) => {
      const lane = { tenant: stage.tenant, type: TYPES.narrow };
      const first = await stage.submit('first', TYPES.narrow, { do: 'fatal' });
      await stage.ends('first', { state: 'failed', reason: 'fatal', attempts: 1 });
      const others = ['slow-1', 'slow-2', 'slow-3', 'slow-4'];
      for (const id of others) await stage.submit(id, TYPES.narrow, { do: 'ok', ms: 1_500 });
      await backlogged(stage, lane);
      const { id } = await stage.client.redrives.create({ ids: ['first'] });
      await Promise.all(others.map((each) => stage.ends(each, { state: 'succeeded', attempts: 1 })));
      await redriven(stage, id, new Map([['first', first.uid]]));
    },
  },
  {
    name: 'lets a retry go that waits for budget',
    ticks: ['timers'],
    run: async (stage) => {
      const lane = { tenant: stage.tenant, type: TYPES.narrow };
      const row = await rowWithoutHint(stage, 'task', TYPES.narrow, Date.now());
      await stage.world.backlog.register(lane, Date.now());
      await stage.world.backlog.put(lane, [hintOf(row, Date.now())], 'budget');
      await stage.world.permits.raise(lane, 0, 'budget');
      await stage.ends('task', { state: 'succeeded', attempts: 1 });
    },
  },
];

/** Tasks that have failed, and are told to a queue. @returns their generations by their ids */
async function dead(stage: Stage, script: Partial<Script> = {}, ids: readonly string[] = IDS): Promise<ReadonlyMap<string, string>> {
  const uids = new Map<string, string>();
  for (const id of ids) {
    const { uid } = await stage.submit(id, TYPES.event, { do: 'fatal', ...script }, { notify: { queue: { name: ENDS_QUEUE } } });
    uids.set(id, uid);
  }
  await Promise.all(ids.map((id) => stage.ends(id, { state: 'failed', reason: 'fatal', attempts: 1 })));
  return uids;
}

async function hasEnded(stage: Stage, id: string): Promise<void> {
  await stage.until('the redrive has ended', async () => (await stage.client.redrives.get(id)).state === 'done');
}

/** A redrive whose slice was deleted by hand, or has failed for good. @returns its id */
async function standsStill({ world, tenant }: Stage): Promise<string> {
  const now = Date.now();
  const id = ulid(now);
  const inserted = await world.redrives.insert({
    v: 1,
    tenant,
    id,
    version: 0,
    hash: 'scene',
    ids: [...IDS],
    ratePerSecond: 50,
    state: 'running',
    slice: 1,
    run: 'gone',
    nonce: 'scene',
    page: [],
    exhausted: false,
    scanned: 0,
    matched: 0,
    redriven: 0,
    skipped: 0,
    failed: {},
    createdAt: now,
    updatedAt: now,
  });
  if (!inserted) throw new Error('the redrive is not written');
  return id;
}

/** A redrive has run each task again, once. */
async function redriven(stage: Stage, id: string, olds: ReadonlyMap<string, string>): Promise<void> {
  await hasEnded(stage, id);
  for (const [task, old] of olds) {
    const row = await stage.row(task, 'its end', ({ state, uid }) => state === 'failed' && uid !== old);
    if (row.retryOf !== old) throw new Error(`${task} was run more than once again`);
    await stage.ends(task, { state: 'failed', reason: 'fatal', attempts: 1 }, row.uid);
  }
}

/** A redrive that has ended has nothing to be paused. */
function ignored(error: unknown): void {
  if ((error as { code?: string }).code !== 'state_conflict') throw error;
}

/** What was deleted before it was replaced stays away; else it runs again. */
async function ignoredWhereGone(stage: Stage, id: string): Promise<void> {
  const row = await stage.world.tasks.get(stage.tenant, id);
  if (row) await stage.ends(id, { state: 'failed', reason: 'fatal', attempts: 1 });
}
