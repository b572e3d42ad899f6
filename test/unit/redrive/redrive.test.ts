import { LIMITS, SYSTEM_TYPES, type RedriveRequest } from '@sluice/contracts';
import { describe, expect, it } from 'vitest';
import { listDead } from '../../../core/dead/list-dead.ts';
import { retryTask } from '../../../core/api/retry-task.ts';
import {
  cancelRedrive,
  createRedrive,
  getRedrive,
  listRedrives,
  pauseRedrive,
  planRedrive,
  resumeRedrive,
} from '../../../core/redrive/operate.ts';
import { faultAt } from '../../helpers/faults.ts';
import { createRedriveWorld, idsUpTo } from '../../helpers/redrive-world.ts';
import { typeSpec } from '../../helpers/world.ts';

async function deadWorld(count: number) {
  const world = createRedriveWorld();
  await world.fail('a', idsUpTo(count));
  world.mend();
  const create = (request: Partial<RedriveRequest> = {}) =>
    createRedrive(world.deps, 'a', { ...(request.ids ? {} : { filter: {} }), ...request });
  const get = (id: string) => getRedrive(world.deps, 'a', id);
  const statesOf = (ids: readonly string[]) => Promise.all(ids.map(async (id) => (await world.row('a', id)).state));
  return { world, create, get, statesOf };
}

describe('a redrive', () => {
  it('runs every dead task again, once, and no other', async () => {
    const { world, create, get, statesOf } = await deadWorld(230);
    await world.submit('a', { type: 'echo', id: 'fine' });
    await world.run();
    world.breaks(() => 'FatalError');
    await world.fail('b', ['t0000']);
    world.mend();
    const { id, state } = await create();
    expect(state).toBe('running');
    await world.run();
    expect(await get(id)).toMatchObject({ state: 'done', scanned: 230, matched: 230, redriven: 230, skipped: 0, failed: {} });
    expect(new Set(await statesOf(idsUpTo(230)))).toEqual(new Set(['succeeded']));
    expect(idsUpTo(230).every((each) => world.generationsOf('a', each) === 2)).toBe(true);
    expect(world.generationsOf('a', 'fine')).toBe(1);
    expect(await world.row('b', 't0000')).toMatchObject({ state: 'failed' });
    expect(await world.row('a', 't0000')).toMatchObject({ redrive: id, retryOf: expect.any(String) as string });
    expect((await listDead(world.deps, 'a', {})).tasks).toEqual([]);
  });

  it('takes those that fit its filter', async () => {
    const world = createRedriveWorld();
    world.breaks((id) => (id === 't0000' || id === 't0001' ? 'TypeError' : 'FatalError'));
    await world.fail('a', idsUpTo(4), { retry: { maxAttempts: 1 } });
    await world.fail('a', ['m1', 'm2'], { type: 'mail', labels: { team: 'x' } });
    world.mend();
    const redrive = async (filter: RedriveRequest['filter']) => {
      const { id } = await createRedrive(world.deps, 'a', { filter });
      await world.run();
      return (await getRedrive(world.deps, 'a', id)).redriven;
    };
    expect(await redrive({ error: 'TypeError', labels: { team: 'x' } })).toBe(0);
    expect(await redrive({ to: new Date(0).toISOString() })).toBe(0);
    expect(await redrive({ error: 'TypeError' })).toBe(2);
    expect(await redrive({ labels: { team: 'x' }, type: 'mail', reason: 'fatal' })).toBe(2);
    expect(await redrive({})).toBe(2);
  });

  it('takes tasks by their ids, those of them that are dead', async () => {
    const { world, create, get } = await deadWorld(5);
    const { id } = await create({ ids: ['t0001', 't0003', 't0003', 'nobody'] });
    await world.run();
    expect(await get(id)).toMatchObject({ state: 'done', ids: 3, scanned: 3, matched: 2, redriven: 2 });
    expect(world.generationsOf('a', 't0003')).toBe(2);
    expect(world.generationsOf('a', 't0000')).toBe(1);
  });

  it('stops at its limit', async () => {
    const { world, create, get } = await deadWorld(30);
    const { id } = await create({ limit: 7, canary: { tasks: 3, maxFailureShare: 0, waitSeconds: 60 } });
    await world.run();
    expect(await get(id)).toMatchObject({ state: 'done', redriven: 7 });
  });

  it('redrives what fails again only once, and ends', async () => {
    const { world, create, get } = await deadWorld(20);
    world.breaks(() => 'FatalError');
    const { id } = await create();
    await world.run();
    expect(await get(id)).toMatchObject({ state: 'done', redriven: 20 });
    expect(idsUpTo(20).map((each) => world.generationsOf('a', each))).toEqual(idsUpTo(20).map(() => 2));
    expect((await listDead(world.deps, 'a', {})).tasks).toHaveLength(20);
  });

  it('keeps to its rate, over as many slices as it takes', async () => {
    const { world, create, get } = await deadWorld(300);
    const began = world.clock.now();
    const { id } = await create({ ratePerSecond: 2 });
    await world.run();
    const { state, redriven, endedAt } = await get(id);
    expect({ state, redriven }).toEqual({ state: 'done', redriven: 300 });
    const seconds = (Date.parse(endedAt ?? '') - began) / 1_000;
    expect(seconds).toBeGreaterThanOrEqual(149);
    expect(seconds).toBeLessThan(180);
    const slices = world.tasks.rows().filter((row) => row.type === SYSTEM_TYPES.redrive);
    expect(slices.length).toBeGreaterThanOrEqual(4);
    expect(slices.every((row) => row.state === 'succeeded')).toBe(true);
  });

  it('says which tasks it could not redrive, and goes on', async () => {
    const world = createRedriveWorld({
      slices: (deps) => ({ ...deps, types: { ...deps.types, get: async (type) => (type === 'mail' ? undefined : deps.types.get(type)) } }),
    });
    await world.fail('a', idsUpTo(3));
    await world.fail('a', ['m'], { type: 'mail' });
    world.mend();
    const { id } = await createRedrive(world.deps, 'a', { filter: {} });
    await world.run();
    expect(await getRedrive(world.deps, 'a', id)).toMatchObject({ state: 'done', redriven: 3, failed: { unknown_type: 1 } });
  });
});

describe('a first wave', () => {
  const canary = { tasks: 10, maxFailureShare: 0.2, waitSeconds: 300 };

  it('has a share that a table can hold, however small it was given', async () => {
    const { create, get } = await deadWorld(1);
    const { id } = await create({ canary: { ...canary, maxFailureShare: Number.MIN_VALUE } });
    expect(await get(id)).toMatchObject({ canary: { maxFailureShare: 0 } });
  });

  it('that mostly fails again stops the redrive', async () => {
    const { world, create, get } = await deadWorld(50);
    world.breaks(() => 'FatalError');
    const { id } = await create({ canary });
    expect(await get(id)).toMatchObject({ state: 'canary' });
    await world.run();
    expect(await get(id)).toMatchObject({
      state: 'stopped',
      redriven: 10,
      reason: '10 of the first 10 tasks failed again, more than the share of 0.2 that was allowed',
      canary: { ...canary, result: { redriven: 10, succeeded: 0, failed: 10, unfinished: 0 } },
    });
  });

  it('that goes well lets the rest go on', async () => {
    const { world, create, get } = await deadWorld(50);
    const { id } = await create({ canary });
    await world.run();
    expect(await get(id)).toMatchObject({
      state: 'done',
      redriven: 50,
      canary: { result: { redriven: 10, succeeded: 10, failed: 0, unfinished: 0 } },
    });
  });

  it('is waited for no longer than it says', async () => {
    const { world, create, get } = await deadWorld(20);
    // What is throttled has not ended.
    world.breaks(() => 'ThrottledError');
    const began = world.clock.now();
    const { id } = await create({ canary });
    await world.run(400_000);
    const { state, redriven, endedAt, canary: watched } = await get(id);
    expect({ state, redriven }).toEqual({ state: 'done', redriven: 20 });
    expect(watched?.result).toMatchObject({ succeeded: 0, failed: 0, unfinished: 10 });
    expect(Date.parse(endedAt ?? '') - began).toBeGreaterThanOrEqual(300_000);
  });
});

describe('a dry run', () => {
  it('says what would be redriven, and changes nothing', async () => {
    const { world } = await deadWorld(15);
    await world.fail('a', ['m'], { type: 'mail' });
    const before = world.tasks.rows();
    world.breaks(() => 'FatalError');
    const plan = await planRedrive(world.deps, 'a', { filter: {} });
    expect(plan).toMatchObject({ dryRun: true, count: 15, more: false, byType: { echo: 15 }, byError: { FatalError: 15 } });
    expect(plan.sample).toHaveLength(10);
    expect(await planRedrive(world.deps, 'a', { filter: {}, limit: 3 })).toMatchObject({ count: 3, more: false });
    expect(await planRedrive(world.deps, 'a', { ids: ['t0001', 'nobody'] })).toMatchObject({ count: 1 });
    expect(await planRedrive(world.deps, 'b', { filter: {} })).toMatchObject({ count: 0, sample: [] });
    expect(world.tasks.rows()).toEqual(before);
    await expect(
      planRedrive(world.deps, 'a', { filter: { from: '2026-01-02T00:00:00Z', to: '2026-01-01T00:00:00Z' } }),
    ).rejects.toMatchObject({
      code: 'bad_request',
    });
  });
});

describe('operations', () => {
  it('with one id make one redrive', async () => {
    const { world, create } = await deadWorld(3);
    const id = world.random.ulid(world.clock.now());
    const [one, two] = await Promise.all([create({ id }), create({ id })]);
    expect(one.id).toBe(two.id);
    await expect(create({ id, limit: 2 })).rejects.toMatchObject({ code: 'id_conflict' });
    await world.run();
    expect(await create({ id })).toMatchObject({ state: 'done', redriven: 3 });
    expect(await listRedrives(world.deps, 'a', {})).toMatchObject({ redrives: [{ id }] });
    expect(await listRedrives(world.deps, 'b', {})).toEqual({ redrives: [] });
    await expect(getRedrive(world.deps, 'b', id)).rejects.toMatchObject({ code: 'not_found' });
    await expect(cancelRedrive(world.deps, 'b', id)).rejects.toMatchObject({ code: 'not_found' });
    await expect(cancelRedrive(world.deps, 'a', id)).rejects.toMatchObject({ code: 'state_conflict' });
  });

  it('repeated after a crash see to it that it is driven', async () => {
    const { world, create, get } = await deadWorld(3);
    const id = world.random.ulid(world.clock.now());
    await expect(createRedrive(faultAt(world.deps, 'redrives.insert', 'die-after'), 'a', { id, filter: {} })).rejects.toThrow();
    expect(await get(id)).toMatchObject({ state: 'running', stalled: true });
    await create({ id });
    await world.run();
    expect(await get(id)).toMatchObject({ state: 'done', redriven: 3 });
  });

  it('cancel it', async () => {
    const { world, create, get } = await deadWorld(300);
    const { id } = await create({ ratePerSecond: 1 });
    await world.run(60_000);
    expect(await cancelRedrive(world.deps, 'a', id)).toMatchObject({ state: 'cancelled' });
    expect(await cancelRedrive(world.deps, 'a', id)).toMatchObject({ state: 'cancelled' });
    const { redriven } = await get(id);
    await world.run();
    expect(await get(id)).toMatchObject({ state: 'cancelled', redriven });
    expect(redriven).toBeGreaterThan(0);
    expect(redriven).toBeLessThan(300);
  });

  it('pause and resume it', async () => {
    const { world, create, get } = await deadWorld(200);
    const { id } = await create({ ratePerSecond: 1 });
    await world.run(60_000);
    expect(await pauseRedrive(world.deps, 'a', id)).toMatchObject({ state: 'paused' });
    await world.run();
    const paused = await get(id);
    expect(paused).toMatchObject({ state: 'paused' });
    expect(paused.redriven).toBeLessThan(200);
    expect(await pauseRedrive(world.deps, 'a', id)).toMatchObject({ state: 'paused' });
    expect(await resumeRedrive(world.deps, 'a', id)).toMatchObject({ state: 'running' });
    expect(await resumeRedrive(world.deps, 'a', id)).toMatchObject({ state: 'running' });
    await world.run();
    expect(await get(id)).toMatchObject({ state: 'done', redriven: 200 });
  });

  it('are bounded for each tenant', async () => {
    const { world, create } = await deadWorld(1);
    for (let n = 0; n < LIMITS.redrives; n++) await create({ filter: { error: `e${n}` } });
    await expect(create()).rejects.toMatchObject({
      code: 'too_many_redrives',
      message: expect.stringContaining(`${LIMITS.redrives} redrives that have not ended, of at most ${LIMITS.redrives}`) as string,
    });
    await expect(createRedrive(world.deps, 'b', { filter: {} })).resolves.toMatchObject({ state: 'running' });
    await world.run();
    await expect(create()).resolves.toMatchObject({ state: 'running' });
  });

  it('resume one whose slice has failed for good', async () => {
    let down = true;
    const world = createRedriveWorld({
      types: [typeSpec('echo')],
      slices: (deps) => (down ? { ...deps, deadTasks: { ...deps.deadTasks, days: () => Promise.reject(new Error('down')) } } : deps),
    });
    await world.fail('a', idsUpTo(3));
    world.mend();
    const { id } = await createRedrive(world.deps, 'a', { filter: {} });
    await world.run();
    expect(await getRedrive(world.deps, 'a', id)).toMatchObject({ state: 'running', stalled: true, redriven: 0 });
    // It is a dead letter itself.
    expect((await listDead(world.deps, 'a', { type: SYSTEM_TYPES.redrive })).tasks).toMatchObject([{ error: { message: 'down' } }]);
    expect((await listDead(world.deps, 'a', {})).tasks).toHaveLength(3);
    down = false;
    await resumeRedrive(world.deps, 'a', id);
    await world.run();
    expect(await getRedrive(world.deps, 'a', id)).toMatchObject({ state: 'done', redriven: 3 });
  });

  it('redrive a slice that has failed, like any dead task', async () => {
    let down = true;
    const world = createRedriveWorld({ slices: (deps) => (down ? faultAt(deps, 'redrives.get', 'fail') : deps) });
    await world.fail('a', idsUpTo(3));
    world.mend();
    const { id } = await createRedrive(world.deps, 'a', { filter: {} });
    await world.run();
    down = false;
    await retryTask(world.deps, 'a', `sluice:redrive:${id}:1`);
    await world.run();
    expect(await getRedrive(world.deps, 'a', id)).toMatchObject({ state: 'done', redriven: 3 });
  });
});
