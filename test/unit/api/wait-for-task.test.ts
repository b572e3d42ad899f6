import { LIMITS } from '@sluice/contracts';
import { describe, expect, it } from 'vitest';
import { WAITS_PER_TENANT, waitForTask, type WaitDeps } from '../../../core/api/wait-for-task.ts';
import type { Permit } from '../../../core/ports/permit-store.ts';
import { createWorld } from '../../helpers/world.ts';

const WAITS = { tenant: '_', type: '_wait' };

async function waiting(over: (deps: WaitDeps) => Partial<WaitDeps> = () => ({})) {
  const world = createWorld();
  await world.submit('acme', { type: 'echo', id: 'a', delaySeconds: 60 });
  await world.submit('beta', { type: 'echo', id: 'a', delaySeconds: 60 });
  const pauses: number[] = [];
  const base: WaitDeps = {
    ...world.deps,
    timer: {
      sleep: async (ms) => {
        pauses.push(ms);
        world.clock.advance(ms);
      },
    },
  };
  const deps = { ...base, ...over(base) };
  const permits = async () => (await world.permits.read(WAITS, 0)).permits;
  const fill = async (count: number, expiry: number, owner = 'other') => {
    const taken = Array.from({ length: count }, (_, n): Permit => ({ expiry, nonce: `${owner}.${n}` }));
    await world.permits.acquire(WAITS, 0, taken, LIMITS.waitsAtOnce);
  };
  return { world, deps, pauses, permits, fill };
}

/** Waits that hold their place until they are let go. */
function held(deps: WaitDeps) {
  let letGo = () => {};
  const gate = new Promise<void>((resolve) => (letGo = resolve));
  return { deps: { ...deps, timer: { sleep: () => gate } }, letGo };
}

const fails = async () => {
  throw new Error('time-out');
};

describe('waitForTask', () => {
  it('reads soon at first, then about once a second, for the whole time and no longer', async () => {
    const { deps, pauses, world, permits } = await waiting();
    const start = world.clock.now();
    expect(await waitForTask(deps, 'acme', 'a', 25)).toMatchObject({ done: false, retryAfterSeconds: 0 });
    expect(world.clock.now() - start).toBe(25_000);
    expect(pauses.slice(0, 3)).toEqual([100, 150, 225]);
    expect(Math.max(...pauses)).toBe(1_000);
    expect(pauses.length).toBeLessThan(35);
    expect(await permits()).toEqual([]);
  });

  it('holds a place while it waits, which would expire after it', async () => {
    const { deps, permits, world } = await waiting();
    const { deps: holding, letGo } = held(deps);
    const start = world.clock.now();
    const wait = waitForTask(holding, 'acme', 'a', 10);
    await expect.poll(permits).toMatchObject([{ expiry: start + 15_000 }]);
    world.clock.advance(10_000);
    letGo();
    await wait;
    expect(await permits()).toEqual([]);
  });

  it('answers at once when every place is taken, each caller told another time', async () => {
    const { deps, fill, world, pauses, permits } = await waiting();
    await fill(LIMITS.waitsAtOnce, world.clock.now() + 10_000);
    const answers = [];
    for (let n = 0; n < 20; n++) answers.push(await waitForTask(deps, 'acme', 'a', 25));
    expect(pauses).toEqual([]);
    expect(answers.every((a) => !a.done)).toBe(true);
    expect(new Set(answers.map((a) => a.retryAfterSeconds))).toEqual(new Set([1, 2, 3]));
    expect(await permits()).toHaveLength(LIMITS.waitsAtOnce);
  });

  it('takes the places of waits that crashed', async () => {
    const { deps, fill, world, pauses, permits } = await waiting();
    await fill(LIMITS.waitsAtOnce, world.clock.now());
    await waitForTask(deps, 'acme', 'a', 1);
    expect(pauses.length).toBeGreaterThan(0);
    expect(await permits()).toEqual([]);
  });

  it('leaves half of the places to the other tenants', async () => {
    const { deps, permits, world } = await waiting();
    const { deps: holding, letGo } = held(deps);
    const waits = Array.from({ length: WAITS_PER_TENANT }, () => waitForTask(holding, 'acme', 'a', 25));
    await expect.poll(async () => (await permits()).length).toBe(WAITS_PER_TENANT);
    const instant = deps.clock.now();
    expect((await waitForTask(deps, 'acme', 'a', 25)).retryAfterSeconds).toBeGreaterThan(0);
    expect(deps.clock.now()).toBe(instant);
    expect(await permits()).toHaveLength(WAITS_PER_TENANT);
    expect((await waitForTask(deps, 'beta', 'a', 1)).retryAfterSeconds).toBe(0);
    world.clock.advance(25_000);
    letGo();
    await Promise.all(waits);
  });

  it('is only a convenience: without the cell it answers at once', async () => {
    const { deps, pauses } = await waiting(({ permits }) => ({ permits: { ...permits, acquire: fails, release: fails } }));
    expect((await waitForTask(deps, 'acme', 'a', 25)).retryAfterSeconds).toBeGreaterThan(0);
    expect(pauses).toEqual([]);
  });

  it('leaves a place that it cannot give back to its expiry', async () => {
    const { deps, permits } = await waiting((base) => ({ permits: { ...base.permits, release: fails } }));
    const start = deps.clock.now();
    expect(await waitForTask(deps, 'acme', 'a', 2)).toMatchObject({ done: false, retryAfterSeconds: 0 });
    expect(await permits()).toMatchObject([{ expiry: start + 7_000 }]);
  });

  it('gives its place back when the task is deleted meanwhile', async () => {
    let reads = 0;
    const { deps, permits } = await waiting(({ tasks }) => ({
      tasks: { ...tasks, get: async (tenant, id) => (++reads > 2 ? undefined : tasks.get(tenant, id)) },
    }));
    await expect(waitForTask(deps, 'acme', 'a', 25)).rejects.toMatchObject({ code: 'not_found' });
    expect(await permits()).toEqual([]);
  });

  it('takes no place for a task that is terminal, or without a time to wait', async () => {
    const { deps, world, fill } = await waiting();
    await fill(LIMITS.waitsAtOnce, world.clock.now() + 1e9);
    await world.submit('acme', { type: 'echo', id: 'b' });
    expect(await waitForTask(deps, 'acme', 'b', 0)).toMatchObject({ done: false });
    world.handlers['echo'] = () => 'done';
    await world.run(10_000);
    expect(await waitForTask(deps, 'acme', 'b', 25)).toMatchObject({ done: true, task: { result: 'done' } });
  });
});
