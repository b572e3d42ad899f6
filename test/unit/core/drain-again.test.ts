import { describe, expect, it } from 'vitest';
import { dispatch } from '../../../core/dispatch/dispatch.ts';
import { held } from '../../helpers/held-runs.ts';
import { createWorld, typeSpec, type WorldDeps } from '../../helpers/world.ts';

const LANE = { tenant: 'a', type: 'narrow' };

describe('an item of a backlog that is to be looked at again', () => {
  it('is not lost when its successor is in the backlog before it is removed', async () => {
    const { launch, endAll } = held();
    const world = createWorld({ types: [typeSpec('narrow', { concurrency: 1 })], handlers: { narrow: () => 'ok' }, launch });
    const { deps, clock } = world;
    await world.submit('a', { type: 'narrow', id: 'first' });
    await world.dispatchOnce();
    await world.submit('a', { type: 'narrow', id: 'second' });
    await world.dispatchOnce();
    expect(await world.deps.backlog.first(LANE, 10)).toMatchObject([{ id: 'second' }]);

    await endAll();
    await world.settleOnce();
    let removed = 0;
    const ports: WorldDeps = {
      ...deps,
      // The item becomes a message.
      permits: { ...deps.permits, acquire: () => Promise.reject(new Error('throttled')) },
      backlog: {
        ...deps.backlog,
        remove: async (...args) => {
          // Until this arrives another task takes the permit, and the message finds the lane full.
          await world.submit('a', { type: 'narrow', id: 'third' });
          await world.dispatchOnce();
          clock.advance(10_000);
          while ((await world.dispatchOnce()) > 0);
          removed += 1;
          await deps.backlog.remove(...args);
        },
      },
    };
    await dispatch(ports, await world.queue.receive(10), { noted: new Map(), deadline: clock.now() + 180_000 });

    expect(removed).toBe(1);
    expect(await deps.backlog.first(LANE, 10)).toMatchObject([{ id: 'second' }]);
    await endAll();
    while ((await world.pump()) || (await world.row('a', 'second')).state === 'waiting') await endAll();
    await endAll();
    await world.pump();
    expect((await world.row('a', 'second')).state).toBe('succeeded');
  });
});
