import { describe, expect, it } from 'vitest';
import { retryTask } from '../../../core/api/retry-task.ts';
import { listDead } from '../../../core/dead/list-dead.ts';
import { retryAsNew } from '../../../core/dead/retry-as-new.ts';
import { faultAt, faulty, traced, type Fault } from '../../helpers/faults.ts';
import { createRedriveWorld, idsUpTo } from '../../helpers/redrive-world.ts';

describe('the list of dead tasks', () => {
  it('comes in pages, each task once, those that failed last first', async () => {
    const world = createRedriveWorld();
    for (const [n, part] of [idsUpTo(10), idsUpTo(20).slice(10), idsUpTo(30).slice(20)].entries()) {
      await world.fail('a', part, { type: n % 2 ? 'mail' : 'echo' });
      world.clock.advance(86_400_000);
    }
    await world.fail('b', ['t0000']);
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await listDead(world.deps, 'a', { limit: 4, ...(cursor !== undefined && { cursor }) });
      seen.push(...page.tasks.map(({ id }) => id));
      ({ cursor } = page);
      if (cursor !== undefined) {
        await expect(listDead(world.deps, 'b', { cursor })).rejects.toMatchObject({ code: 'bad_cursor' });
        await expect(listDead(world.deps, 'a', { cursor, type: 'mail' })).rejects.toMatchObject({ code: 'bad_cursor' });
      }
    } while (cursor !== undefined);
    expect([seen.slice(0, 10), seen.slice(10, 20), seen.slice(20)].map((part) => part.toSorted())).toEqual(
      [20, 10, 0].map((from) => idsUpTo(30).slice(from, from + 10)),
    );
    expect((await listDead(world.deps, 'b', {})).tasks).toHaveLength(1);
  });

  it('has a task no more that was retried', async () => {
    const world = createRedriveWorld();
    await world.fail('a', ['one', 'two']);
    await retryTask(world.deps, 'a', 'one');
    expect((await listDead(world.deps, 'a', {})).tasks.map(({ id }) => id)).toEqual(['two']);
  });
});

describe('a retry with another payload', () => {
  const request = { payload: { mended: true } };

  it('is a new task that is linked to the old one', async () => {
    const world = createRedriveWorld();
    await world.fail('a', ['one'], { labels: { team: 'x' }, priority: 'low', retry: { maxAttempts: 2 } });
    world.mend();
    const old = await world.row('a', 'one');
    const made = await retryAsNew(world.deps, 'a', 'one', request, old.uid);
    await world.run();
    expect(await world.row('a', made.id)).toMatchObject({
      state: 'succeeded',
      redriveOf: { id: 'one', uid: old.uid },
      labels: { team: 'x' },
      priority: 'low',
      retry: { maxAttempts: 2 },
      result: { json: '{"got":{"mended":true}}' },
    });
    expect(await world.row('a', 'one')).toMatchObject({ state: 'failed', redrivenAs: { id: made.id, uid: made.uid } });
    expect((await listDead(world.deps, 'a', {})).tasks).toEqual([]);
    // Once it has become another task it runs no more by itself.
    await expect(retryTask(world.deps, 'a', 'one')).rejects.toMatchObject({ code: 'state_conflict' });
    await expect(retryAsNew(world.deps, 'a', 'one', { ...request, id: 'two' })).rejects.toMatchObject({ code: 'state_conflict' });
    await expect(retryAsNew(world.deps, 'b', 'one', request)).rejects.toMatchObject({ code: 'not_found' });
  });

  it.each<Fault>(['fail', 'ambiguous', 'die', 'die-after'])(
    'is one task, wherever it breaks off (%s), also when that has failed by then',
    async (fault) => {
      const { calls } = await (async () => {
        const world = createRedriveWorld();
        await world.fail('a', ['one']);
        const trace = traced(world.deps);
        await retryAsNew(trace.deps, 'a', 'one', request);
        return trace;
      })();
      for (let nth = 1; nth <= calls.length; nth++) {
        const world = createRedriveWorld();
        await world.fail('a', ['one']);
        const { uid } = await world.row('a', 'one');
        let seen = 0;
        await retryAsNew(
          faulty(world.deps, () => (++seen === nth ? fault : 'none')),
          'a',
          'one',
          request,
          uid,
        ).catch(() => undefined);
        await world.run();
        const made = await retryAsNew(world.deps, 'a', 'one', request, uid);
        await world.run();
        expect({ nth, generations: world.generationsOf('a', made.id) }).toEqual({ nth, generations: 1 });
        expect(await world.row('a', 'one'), String(nth)).toMatchObject({ redrivenAs: { id: made.id } });
      }
    },
  );

  it('is refused under the old id, for a task that has not failed, and with what no task can have', async () => {
    const world = createRedriveWorld();
    await world.fail('a', ['one']);
    await world.submit('a', { type: 'echo', id: 'waits', delaySeconds: 600 });
    await expect(retryAsNew(world.deps, 'a', 'one', { ...request, id: 'one' })).rejects.toMatchObject({ code: 'bad_request' });
    await expect(retryAsNew(world.deps, 'a', 'waits', request)).rejects.toMatchObject({ code: 'state_conflict' });
    const large = { payload: 'x'.repeat(1_100_000) };
    await expect(retryAsNew(world.deps, 'a', 'one', large)).rejects.toMatchObject({ code: 'payload_too_large' });
    await expect(retryAsNew(faultAt(world.deps, 'queue.send', 'fail'), 'a', 'one', request)).rejects.toMatchObject({ code: 'unavailable' });
  });
});
