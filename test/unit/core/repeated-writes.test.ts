import { expect, it } from 'vitest';
import type { RowChange } from '../../../core/ports/task-store.ts';
import { portsThrough } from '../../../sim/ports.ts';
import { createWorld, typeSpec, type WorldDeps } from '../../helpers/world.ts';

/** The client applies the write of an end twice, as it does when the first answer is lost: its caller hears the second. */
function endsTwice(deps: WorldDeps): WorldDeps {
  return portsThrough(deps, async ({ at, args, apply }) => {
    if (at === 'tasks.update' && (args[3] as RowChange).set.endedAt !== undefined) await apply();
    return apply();
  });
}

it('an end that a reply wrote twice is told, and its permit is given back', async () => {
  const fails = () => {
    throw Object.assign(new Error('never'), { name: 'FatalError' });
  };
  const world = createWorld({ types: [typeSpec('echo', { start: 'wait', timeoutSeconds: 10 })], handlers: { echo: fails } });
  await world.submit('a', { type: 'echo', id: 't1' });
  await world.dispatchOnce(endsTwice(world.deps));
  const row = await world.row('a', 't1');
  expect(row.state).toBe('failed');
  expect(world.queue.bodies()).toEqual([]);
  expect(world.events.events().map(({ eventId }) => eventId)).toEqual([`${row.uid}:failed`]);
  expect(await world.held('a', 'echo')).toBe(0);
});

it('a success that a reply wrote twice gives its permit back', async () => {
  const world = createWorld({ types: [typeSpec('echo', { start: 'wait', timeoutSeconds: 10 })], handlers: { echo: () => 'ok' } });
  await world.submit('a', { type: 'echo', id: 't1' });
  await world.dispatchOnce(endsTwice(world.deps));
  expect((await world.row('a', 't1')).state).toBe('succeeded');
  expect(await world.held('a', 'echo')).toBe(0);
});

it('a lost lease that ended its task twice is told', async () => {
  const world = createWorld({ handlers: { echo: () => 'ok' }, launch: () => {} });
  await world.submit('a', { type: 'echo', id: 't1' });
  for (let round = 0; round < 8; round++) {
    while ((await world.dispatchOnce(endsTwice(world.deps))) > 0);
    world.clock.advance(200_000);
  }
  while ((await world.dispatchOnce(endsTwice(world.deps))) > 0);
  const row = await world.row('a', 't1');
  expect(row).toMatchObject({ state: 'failed', reason: 'outcome_unknown' });
  expect(world.events.events().map(({ eventId }) => eventId)).toContain(`${row.uid}:failed`);
});
