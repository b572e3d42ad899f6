import type { Rate } from '../../../core/limits/gcra.ts';
import type { Lane } from '../../../core/ports/permit-store.ts';
import { describe, expect, it } from 'vitest';
import type { createMemoryControlQueue } from '../../../adapters/memory/index.ts';
import { divideCapacities } from '../../../core/control/divide-capacities.ts';
import { isTerminal } from '../../../core/tasks/state.ts';
import { ReferenceBucket } from '../../../sim/checks/reference-bucket.ts';
import { createWorld, typeSpec } from '../../helpers/world.ts';

const MINUTE = 60_000;
/** Control hears of what it was told so much later, ms. */
const POLL_MS = 5_000;

/** Two types, one of them waited for, and one that draws on nothing; all that starts of the two is held against the rates. */
function platform(rates: readonly Rate[]) {
  const starts: { at: number; type: string; tenant: string }[] = [];
  const handler = ({ sluice: { type = '', tenant = '' } }: { sluice: { type?: string; tenant?: string } }) => {
    starts.push({ at: world.clock.now(), type, tenant });
    return null;
  };
  const drawing = { resources: ['api'], concurrency: 40 };
  const world = createWorld({
    types: [typeSpec('event', drawing), typeSpec('wait', { ...drawing, start: 'wait', timeoutSeconds: 10 }), typeSpec('other')],
    handlers: { event: handler, wait: handler, other: handler },
  });
  const { clock, deps } = world;
  const control = deps.control as ReturnType<typeof createMemoryControlQueue>;
  const round = (minute: boolean) => {
    const now = clock.now();
    const services = { ...deps, control, divisions: world.divisions, types: world.types };
    return divideCapacities(services, { now, deadline: now + 110_000, minute, told: control.take() });
  };
  return {
    world,
    starts,
    ready: () => world.types.putResource({ v: 1, resource: 'api', concurrency: 1_000_000, rates: [...rates] }),
    submit: (tenant: string, type: string, n: number, name = '') =>
      world.submit(tenant, ...Array.from({ length: n }, (_, i) => ({ type, id: `${type}-${name}${i}` }))),
    /** The platform goes on, control with it, until all is done or the time is over. @returns ms that it took */
    run: async (ms: number): Promise<number> => {
      const begun = clock.now();
      let [polled, minute] = [begun, Math.floor(begun / MINUTE)];
      while (clock.now() < begun + ms && !world.tasks.rows().every(({ state }) => isTerminal(state))) {
        while (await world.pump());
        if (clock.now() - polled >= POLL_MS) {
          await round(Math.floor(clock.now() / MINUTE) > minute);
          [polled, minute] = [clock.now(), Math.floor(clock.now() / MINUTE)];
        }
        while (await world.pump());
        clock.set(Math.min(polled + POLL_MS, Math.max(clock.now() + 1, world.queue.nextVisibleAt() ?? Infinity)));
      }
      return clock.now() - begun;
    },
    round,
    parts: async (lane: Lane) => (await world.permits.read(lane, 0)).rateShare?.windows.map(({ limit }) => limit),
    /** The least that a bucket of the whole rate ever had left. */
    least: () =>
      rates.map((rate) => {
        const bucket = new ReferenceBucket(rate, starts[0]?.at ?? 0);
        return Math.min(...starts.filter(({ type }) => type !== 'other').map(({ at }) => bucket.take(1, at)));
      }),
  };
}

describe('the rates of a resource', () => {
  it('are kept by all lanes of all types that draw on it together, and used by them; others are not held', async () => {
    const { world, starts, ready, submit, run, least } = platform([
      { limit: 20, perSeconds: 1 },
      { limit: 300, perSeconds: 60 },
    ]);
    await ready();
    await submit('acme', 'event', 200);
    await submit('acme', 'wait', 200);
    await submit('beta', 'wait', 200);
    await submit('beta', 'other', 50);
    const took = await run(30 * MINUTE);
    for (const row of world.tasks.rows()) expect(row).toMatchObject({ state: 'succeeded', attempts: 1, lost: 0 });
    expect(starts).toHaveLength(650);
    for (const left of least()) expect(left).toBeGreaterThanOrEqual(0);
    // 300 at once and 300 in a minute; each lane gets on meanwhile.
    expect(took).toBeGreaterThan(50_000);
    expect(took).toBeLessThan(2.5 * MINUTE);
    const half = starts.filter(({ at }) => at < (starts[0]?.at ?? 0) + took / 2);
    for (const [tenant, type] of [
      ['acme', 'event'],
      ['acme', 'wait'],
      ['beta', 'wait'],
    ] as const)
      expect(half.filter((start) => start.tenant === tenant && start.type === type).length).toBeGreaterThan(50);
    expect(Math.max(...starts.flatMap(({ at, type }) => (type === 'other' ? [at - (starts[0]?.at ?? 0)] : [])))).toBeLessThan(10_000);
  });

  it('go from a lane that has used them to the next with no more starts than they bring', async () => {
    const { world, starts, ready, submit, run, parts, least, round } = platform([{ limit: 60, perSeconds: 3_600 }]);
    await ready();
    await submit('acme', 'event', 60);
    await run(MINUTE);
    expect(starts).toHaveLength(60);
    expect(await parts({ tenant: 'acme', type: 'event' })).toEqual([60]);
    await submit('beta', 'wait', 30);
    await run(10 * MINUTE);
    // One a minute, though acme has given up its part long since.
    expect(starts.length).toBeGreaterThanOrEqual(66);
    for (const left of least()) expect(left).toBeGreaterThanOrEqual(0);
    expect(await parts({ tenant: 'acme', type: 'event' })).toBeUndefined();
    expect(await parts({ tenant: 'beta', type: 'wait' })).toEqual([60]);
    // What nobody has fills by itself: after an hour all of it may start at once.
    await run(2 * 60 * MINUTE);
    for (let n = 0; n < 10; n++) {
      world.clock.advance(MINUTE);
      while (await world.pump());
      await round(true);
    }
    expect(await world.divisions.rateGrants()).toEqual([]);
    world.clock.advance(60 * MINUTE);
    const before = starts.length;
    await submit('gamma', 'event', 60);
    expect(await run(MINUTE)).toBeLessThan(20_000);
    expect(starts.length - before).toBe(60);
  });

  it('hold no lane any more when a deployment takes them away, and leave nothing behind', async () => {
    const { world, starts, ready, submit, run, parts, round } = platform([{ limit: 2, perSeconds: 60 }]);
    await ready();
    await submit('acme', 'event', 40);
    await run(MINUTE);
    expect(starts.length).toBeLessThanOrEqual(4);
    expect(await parts({ tenant: 'acme', type: 'event' })).toEqual([2]);
    await world.types.putResource({ v: 1, resource: 'api', concurrency: 50 });
    await round(true);
    expect(await parts({ tenant: 'acme', type: 'event' })).toBeUndefined();
    expect([await world.divisions.rateGrants(), await world.divisions.rateRests()]).toEqual([[], []]);
    expect(await run(10 * MINUTE)).toBeLessThan(3 * MINUTE);
    expect(starts).toHaveLength(40);
  });
});
