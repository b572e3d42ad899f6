import { describe, expect, it } from 'vitest';
import { before, writes } from '../../helpers/faults.ts';
import { createWorld, typeSpec } from '../../helpers/world.ts';

// The decision to claim is made blind. A settlement that loses to another one has already made its next hint, and that
// hint names the very seq that the winner's write has: the end. So a claim asks for the state as well.
describe.each([
  ['a lease that ends while its success is settled', 'lost'],
  ['a failure that is settled while a success of the same event is', 'retryable'],
])('the rule state, after %s', (_, loser) => {
  async function history() {
    const runs: (() => Promise<void>)[] = [];
    let ran = 0;
    const world = createWorld({
      types: [typeSpec('echo')],
      handlers: { echo: () => void (ran += 1) },
      launch: (run) => void runs.push(run),
    });
    const endRuns = async () => {
      for (const run of runs.splice(0)) await run();
    };
    await world.submit('a', { type: 'echo', id: 't1' });
    await world.dispatchOnce();
    await endRuns();
    const success = world.records.splice(0);
    const succeeds = async () => {
      world.records.push(...success);
      await world.settleOnce();
      expect(await world.row('a', 't1')).toMatchObject({ state: 'succeeded', seq: 2 });
    };
    // Between the next hint of the loser and its write of the row, the success is written.
    const ports = before(world.deps, 'tasks.update', succeeds, writes('waiting'));
    if (loser === 'lost') {
      world.clock.advance(150_000);
      await world.dispatchOnce(ports);
    } else {
      world.records.push(
        ...success.map(({ body }) => ({ messageId: 'f', body: body.replace('"condition":"Success"', '"condition":"RetriesExhausted"') })),
      );
      await world.settleOnce(ports);
    }
    expect(await world.row('a', 't1')).toMatchObject({ state: 'succeeded', seq: 2, attempts: 1 });
    for (let i = 0; i < 6; i++) {
      await world.dispatchOnce();
      await endRuns();
      await world.settleOnce();
      world.clock.advance(60_000);
    }
    return { world, ran: () => ran };
  }

  it('state: the hint of the settlement that lost claims no row that has ended', async () => {
    const { world, ran } = await history();
    expect(ran()).toBe(1);
    expect(await world.row('a', 't1')).toMatchObject({ state: 'succeeded', seq: 2, fence: 1, attempts: 1 });
  });

  it('state: no permit is left by it', async () => {
    const { world } = await history();
    expect(await world.held('a', 'echo')).toBe(0);
  });
});
