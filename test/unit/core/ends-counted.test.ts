import { describe, expect, it } from 'vitest';
import { faultAt, type Fault } from '../../helpers/faults.ts';
import { createWorld, typeSpec } from '../../helpers/world.ts';

/** A task that fails for good, and whose end is settled by an invocation of which the look at the breaker goes wrong. */
async function failing(start: 'event' | 'wait', fault: Fault) {
  const world = createWorld({
    types: [typeSpec('echo', { start })],
    handlers: {
      echo: () => {
        throw Object.assign(new Error('broken'), { name: 'FatalError' });
      },
    },
  });
  await world.submit('a', { type: 'echo', id: 't' });
  // The gate has looked before the claim: where the reply is settled by dispatch, it is the second look.
  const nth = start === 'wait' ? 2 : 1;
  const ports = faultAt(world.deps, 'breakers.known', fault, nth);
  const dispatched = world.dispatchOnce(start === 'wait' ? ports : world.deps);
  // One that dies gives nothing back.
  await (fault === 'die' ? dispatched.catch(() => undefined) : dispatched);
  await world.starter.idle();
  if (start === 'event') await world.settleOnce(ports);
  expect(await world.row('a', 't')).toMatchObject({ state: 'failed', reason: 'fatal' });
  return world;
}

describe.each(['event', 'wait'] as const)('an end by the starter %s, while the breaker cannot be told of it', (start) => {
  it('is counted and told all the same, and its permit is free at once', async () => {
    const world = await failing(start, 'fail');
    expect(world.telemetry.total('task.failed', 'echo')).toBe(1);
    expect(world.telemetry.total('attempt.fatal', 'echo')).toBe(1);
    expect(world.events.events()).toMatchObject([{ id: 't', state: 'failed' }]);
    expect(await world.held('a', 'echo')).toBe(0);
  });

  it('is counted once where its invocation dies there, and told when the message comes again', async () => {
    const world = await failing(start, 'die');
    expect(world.telemetry.total('task.failed', 'echo')).toBe(1);
    expect(world.events.events()).toEqual([]);
    world.clock.advance(600_000);
    await world.run();
    while (await world.pump());
    expect(world.telemetry.total('task.failed', 'echo')).toBe(1);
    expect(world.events.events()).toMatchObject([{ id: 't', state: 'failed' }]);
    expect(await world.held('a', 'echo')).toBe(0);
  });
});
