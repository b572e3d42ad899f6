import { describe, expect, it } from 'vitest';
import { createMemoryControlQueue } from '../../../adapters/memory/index.ts';
import { entryOfType } from '../../../core/permits/entry.ts';
import { quiet } from '../../../sim/quiet.ts';
import { createWorld, typeSpec } from '../../helpers/world.ts';

const POOL = entryOfType('mail');

/** Lanes of a type that draw on its entry pool of so many attempts, which run until they are ended. */
async function pool(attempts: number, each: number) {
  const running = new Map<string, () => void>();
  const control = createMemoryControlQueue();
  const world = createWorld({
    types: [typeSpec('mail', { capacity: 40, concurrency: 10 })],
    handlers: { mail: ({ sluice }) => new Promise<void>((resolve) => running.set(`${sluice.tenant}/${sluice.task}`, resolve)) },
    launch: (run) => void run(),
  });
  await world.permits.setShare(POOL, 0, { version: 1, share: attempts, cells: 1, each });
  const names = () => [...running.keys()].sort();
  const pump = async () => {
    for (let n = 0; n < 20; n++) {
      await world.dispatchOnce({ ...world.deps, control });
      await quiet();
      await world.settleOnce();
    }
  };
  const come = async (tenant: string, ...ids: string[]) => {
    await world.submit(tenant, ...ids.map((id) => ({ type: 'mail', id })));
    await pump();
  };
  const end = async (name: string) => {
    running.get(name)?.();
    running.delete(name);
    await quiet();
    await pump();
  };
  const line = async () => (await world.permits.read(POOL, 0)).line ?? [];
  return { world, names, come, end, line, told: control.take };
}

describe('lanes that draw on an entry pool', () => {
  it('wait in line where it is full, and are told in turn as its permits come back', async () => {
    const { world, names, come, end, line } = await pool(2, 1);
    await come('a', '1');
    await come('b', '1');
    await come('c', '1');
    await come('d', '1');
    expect(names()).toEqual(['a/1', 'b/1']);
    expect([...(await line())].sort()).toEqual(['c', 'd']);
    await end('a/1');
    expect(names()).toHaveLength(2);
    expect(await line()).toHaveLength(1);
    await end('b/1');
    expect(names()).toEqual(['c/1', 'd/1']);
    expect(await line()).toEqual([]);
    await end('c/1');
    await end('d/1');
    expect(world.tasks.rows().map(({ state }) => state)).toEqual(['succeeded', 'succeeded', 'succeeded', 'succeeded']);
    expect((await world.permits.read(POOL, 0)).permits).toEqual([]);
  });

  it('have no more of it than one may, and are told of to control', async () => {
    const { names, come, line, told } = await pool(4, 2);
    await come('a', '1', '2', '3');
    expect(names()).toEqual(['a/1', 'a/2']);
    // It is not the pool that it waits for.
    expect(await line()).toEqual([]);
    expect(told()).toContainEqual(expect.objectContaining({ kind: 'divide', tenant: 'a', type: 'mail' }));
  });

  it('leave a tenth of it to those in line when they come anew', async () => {
    const { names, come, line, world } = await pool(10, 5);
    await come('a', '1', '2', '3', '4', '5');
    await come('b', '1', '2', '3', '4', '5');
    await come('c', '1');
    expect(await line()).toEqual(['c']);
    // Somebody is in line, and was not told: what is free is left to it by one that comes later, which tells it.
    const [permit] = (await world.permits.read(POOL, 0)).permits;
    if (!permit) throw new Error('a permit is held');
    await world.permits.release(POOL, 0, [permit]);
    await come('d', '1');
    expect(names()).toContain('c/1');
    expect(names()).not.toContain('d/1');
    expect(await line()).toContain('d');
  });
});
