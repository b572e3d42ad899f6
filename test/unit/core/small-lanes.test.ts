import { describe, expect, it } from 'vitest';
import { divideCapacities } from '../../../core/control/divide-capacities.ts';
import { createWorld, typeSpec } from '../../helpers/world.ts';

const STEP_MS = 250;
const [ATTEMPT_MS, REFUSED_MS] = [500, 50];
const LANES = 80;
const A_SECOND = 40;

/** Many lanes too small for shares of their own, whose attempts all go to one place that takes so many at once. */
function downstream(capacity: number) {
  let [live, refused] = [0, false];
  let running: { at: number; refused: boolean; run: () => Promise<void> }[] = [];
  const takes = { atOnce: capacity };
  const world = createWorld({
    types: [typeSpec('mail', { capacity, concurrency: 4, start: 'event', adaptive: {} })],
    handlers: {
      mail: () => {
        if (refused) throw Object.assign(new Error('429'), { name: 'ThrottledError' });
        return 'ok';
      },
    },
    launch: (run) => {
      const isOver = live >= takes.atOnce;
      live += 1;
      running.push({ at: world.clock.now() + (isOver ? REFUSED_MS : ATTEMPT_MS), refused: isOver, run });
    },
  });
  const { clock, deps, starter } = world;
  let [made, owed] = [0, 0];
  const step = async (counts: { ok: number; refused: number }) => {
    for (owed += (A_SECOND * STEP_MS) / 1_000; owed >= 1; owed -= 1) {
      await world.submit(`t${made % LANES}`, { type: 'mail', id: `m${made++}` });
    }
    const now = clock.now();
    const ended = running.filter(({ at }) => at <= now);
    running = running.filter(({ at }) => at > now);
    for (const each of ended) {
      live -= 1;
      refused = each.refused;
      counts[each.refused ? 'refused' : 'ok'] += 1;
      await each.run();
    }
    await starter.idle();
    while ((await world.settleOnce()) + (await world.dispatchOnce()) > 0);
    if (Math.floor(now / 10_000) !== Math.floor((now - STEP_MS) / 10_000)) {
      await divideCapacities(deps, { now, deadline: now + 110_000, minute: now % 60_000 < STEP_MS, told: [] });
    }
    clock.advance(STEP_MS);
  };
  const seconds = async (n: number) => {
    const counts = { ok: 0, refused: 0 };
    const end = clock.now() + n * 1_000;
    while (clock.now() < end) await step(counts);
    return counts;
  };
  return { world, takes, seconds };
}

describe('lanes too small for shares of their own', () => {
  it('slow down together when what they all draw on falls to a tenth, use that, and come back with it', async () => {
    const { takes, seconds } = downstream(80);
    await seconds(30);
    expect(await seconds(20)).toEqual({ ok: 20 * A_SECOND, refused: 0 });
    takes.atOnce = 8;
    await seconds(20);
    const slow = await seconds(40);
    const most = (takes.atOnce * 40_000) / ATTEMPT_MS;
    expect(slow.ok).toBeGreaterThan(0.9 * most);
    expect(slow.refused).toBeLessThan(0.1 * slow.ok);
    takes.atOnce = 80;
    await seconds(60);
    const well = await seconds(20);
    expect(well.ok).toBeGreaterThanOrEqual(20 * A_SECOND);
    expect(well.refused).toBe(0);
  });
});
