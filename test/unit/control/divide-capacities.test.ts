import type { Quota, ResourceSpec, TaskTypeSpec } from '@sluice/contracts';
import { describe, expect, it, vi } from 'vitest';
import { createMemoryClock, createMemoryRandom } from '../../../adapters/memory/index.ts';
import { divideCapacities, LEASE_MS } from '../../../core/control/divide-capacities.ts';
import { parseHint } from '../../../core/hints/parse.ts';
import { acquireOrEnter, entryOfType, homeOf } from '../../../core/permits/entry.ts';
import { laneRules } from '../../../core/limits/lane-rules.ts';
import { laneKey } from '../../../core/permits/lane-key.ts';
import type { Lane, Permit, PermitStore } from '../../../core/ports/permit-store.ts';
import { createServices } from '../../../sim/services.ts';
import { typeSpec } from '../../../sim/type-spec.ts';

const spec = (type: string, given: Partial<TaskTypeSpec>): TaskTypeSpec => ({
  ...typeSpec(type),
  concurrency: 50,
  adaptive: false,
  ...given,
});

function platform(types: readonly TaskTypeSpec[], resources: readonly ResourceSpec[] = [], quotas: Record<string, Quota> = {}) {
  const clock = createMemoryClock();
  const random = createMemoryRandom(1);
  const made = createServices({ clock, random, types });
  /** What waits in each lane. */
  const waiting = new Map<string, number>();
  const measure = async (lane: Lane) => ({ count: waiting.get(laneKey(lane)) ?? 0, more: false, oldestAt: undefined });
  const services = { ...made, backlog: { ...made.backlog, measure } };
  const specs = new Map(types.map((each) => [each.type, each]));
  const ready = Promise.all([
    ...resources.map((resource) => services.types.putResource(resource)),
    ...Object.entries(quotas).map(([tenant, quota]) => services.quotas.put(tenant, { v: 1, tenant, quota, updatedAt: 0 })),
  ]);
  const round = async (minute = true) => {
    await ready;
    const told = services.control.take();
    await divideCapacities(services, { now: clock.now(), deadline: clock.now() + 110_000, minute, told });
  };
  const laneOf = (name: string): Lane => {
    const [tenant = '', type = ''] = name.split('/');
    return { tenant, type };
  };
  /** As dispatch does it; what gets no permit waits in the backlog. */
  const start = async (name: string, n: number) => {
    const lane = laneOf(name);
    const own = specs.get(lane.type);
    if (!own) throw new Error(lane.type);
    const permits = Array.from({ length: n }, (): Permit => ({ expiry: clock.now() + 600_000, nonce: random.nonce() }));
    const taken: { lane: Lane; cell: number; permit: Permit }[] = [];
    // One at a time, as from batches of one.
    for (const permit of permits) {
      const { cells, entered, permits } = await acquireOrEnter(services, lane, laneRules(own), [permit]);
      const held = permits[0] ?? permit;
      if (typeof cells[0] === 'number') taken.push({ lane: homeOf(lane, entered.has(0)), cell: cells[0], permit: held });
    }
    waiting.set(laneKey(lane), n - taken.length);
    if (taken.length < n) await services.permits.raise(lane, 0);
    await services.control.tell({ v: 1, kind: 'divide', made: clock.now(), ...lane });
    return taken;
  };
  const end = async (held: Awaited<ReturnType<typeof start>>) => {
    for (const { lane, cell, permit } of held) await services.permits.release(lane, cell, [permit]);
  };
  const sharesOf = async (...names: string[]): Promise<Record<string, number>> => {
    const grants = new Map((await services.divisions.grants()).map((grant) => [`${grant.tenant}/${grant.type}`, grant.shares]));
    const all: Record<string, number> = {};
    for (const name of names) {
      const shares = grants.get(name) ?? [];
      const cells = await Promise.all(shares.map((_, cell) => services.permits.read(laneOf(name), cell)));
      expect(cells.map(({ share }) => share?.share ?? 0)).toEqual(shares);
      all[name] = shares.reduce((sum, share) => sum + share, 0);
    }
    return all;
  };
  return { ...services, clock, round, start, end, sharesOf };
}

describe('the division of a capacity', () => {
  it('leaves all of it to newcomers while nobody needs more than a little, each a tenth, and keeps a tenth for them', async () => {
    const { start, round, sharesOf } = platform([spec('mail', { capacity: 20 })]);
    expect(await start('acme/mail', 30)).toEqual([]);
    await round();
    expect(await sharesOf('~/mail', 'acme/mail')).toEqual({ '~/mail': 2, 'acme/mail': 18 });
    expect(await start('acme/mail', 30)).toHaveLength(18);
    expect(await start('beta/mail', 5)).toHaveLength(2);
  });

  it('leaves small lanes in the entry pool, where no lane has more than a tenth of the capacity nor than its concurrency', async () => {
    const { start, round, divisions } = platform([spec('mail', { capacity: 200, concurrency: 15 })]);
    await round();
    const names = Array.from({ length: 40 }, (_, n) => `tenant-${n}/mail`);
    for (const name of names) expect(await start(name, 4)).toHaveLength(4);
    await round(false);
    expect((await divisions.grants()).map(({ tenant }) => tenant)).toEqual(['~']);
    // One that comes to be big has what it may have there until it has a share.
    const first = await start('acme/mail', 30);
    expect(first.length).toBeLessThanOrEqual(15);
    expect(first.length).toBeGreaterThanOrEqual(12);
    await round(false);
    expect((await divisions.grants()).map(({ tenant }) => tenant).sort()).toEqual(['acme', '~']);
  });

  it('gives the entry pool what small lanes need and what chance adds to it, with the weight of all of them', async () => {
    const { start, round, sharesOf } = platform([spec('mail', { capacity: 100 })]);
    await round();
    for (let n = 0; n < 36; n++) await start(`tenant-${n}/mail`, 1);
    await start('acme/mail', 500);
    await round(false);
    await round(false);
    // 36 + 3 √36 of small lanes, the rest for the big one as far as it may have it: 50.
    const shares = await sharesOf('~/mail', 'acme/mail');
    expect(shares['acme/mail']).toBeGreaterThanOrEqual(36);
    expect(shares['~/mail']).toBeGreaterThanOrEqual(50);
    expect((shares['acme/mail'] ?? 0) + (shares['~/mail'] ?? 0)).toBeLessThanOrEqual(100);
  });

  it('shrinks before it raises: what is held above a lowered share counts as taken', async () => {
    const { start, end, round, sharesOf } = platform([spec('mail', { capacity: 20 })]);
    await round();
    await start('acme/mail', 40);
    await round(false);
    await round(false);
    const held = await start('acme/mail', 30);
    expect(held.length).toBeGreaterThanOrEqual(16);
    await start('beta/mail', 40);
    await round(false);
    expect(await sharesOf('acme/mail', 'beta/mail')).toMatchObject({ 'beta/mail': 0 });
    await end(held.slice(0, 12));
    await start('beta/mail', 40);
    await round(false);
    const shares = await sharesOf('acme/mail', 'beta/mail');
    expect(shares['beta/mail']).toBeGreaterThan(0);
    expect(await start('beta/mail', 30)).toHaveLength(shares['beta/mail'] ?? 0);
  });

  it('lends a guarantee that is idle, and gives it back when its tenant comes', async () => {
    const quotas = { gold: { guaranteed: 12 } };
    const { start, end, round, sharesOf } = platform([spec('mail', { capacity: 20 })], [], quotas);
    await round();
    await start('acme/mail', 40);
    await round(false);
    await round(false);
    const held = await start('acme/mail', 30);
    expect(held.length).toBeGreaterThanOrEqual(16);
    await start('gold/mail', 40);
    await end(held);
    await round(false);
    const { 'gold/mail': gold = 0 } = await sharesOf('gold/mail');
    expect(gold).toBeGreaterThanOrEqual(12);
    expect(await start('gold/mail', 30)).toHaveLength(gold);
  });

  it('divides a resource among the types that draw on it', async () => {
    const stripe: ResourceSpec = { v: 1, resource: 'stripe-api', concurrency: 20 };
    const drawing = { resources: ['stripe-api'] };
    const { start, round, sharesOf } = platform([spec('charge', drawing), spec('refund', drawing)], [stripe]);
    await round();
    expect(await sharesOf('~/charge', '~/refund')).toEqual({ '~/charge': 10, '~/refund': 10 });
    await start('acme/charge', 40);
    await start('acme/refund', 40);
    await round(false);
    await round(false);
    const shares = await sharesOf('acme/charge', 'acme/refund', '~/charge', '~/refund');
    expect(Object.values(shares).reduce((sum, share) => sum + share, 0)).toBeLessThanOrEqual(20);
    // What is still held in the entry pools is taken from the one that is raised last.
    expect(Math.min(shares['acme/charge'] ?? 0, shares['acme/refund'] ?? 0)).toBeGreaterThanOrEqual(7);
  });

  it('gives nothing of a resource that is not deployed, and counts it', async () => {
    const { start, round, telemetry } = platform([spec('charge', { resources: ['gone'] })]);
    await round();
    expect(await start('acme/charge', 1)).toEqual([]);
    await round(false);
    expect(await start('acme/charge', 1)).toEqual([]);
    expect(telemetry.total('resource.missing', 'charge')).toBe(2);
  });

  it('holds a tenant with a cap to it over all types, divided or not', async () => {
    const { start, round, sharesOf } = platform([spec('mail', {}), spec('sms', { capacity: 100 })], [], { acme: { cap: 4 } });
    await round();
    expect([await start('acme/mail', 5), await start('acme/sms', 5)]).toEqual([[], []]);
    await round(false);
    const shares = await sharesOf('acme/mail', 'acme/sms');
    expect((shares['acme/mail'] ?? 0) + (shares['acme/sms'] ?? 0)).toBe(4);
    const held = [...(await start('acme/mail', 9)), ...(await start('acme/sms', 9))];
    expect(held).toHaveLength(4);
    expect(await start('beta/mail', 60)).toHaveLength(50);
  });

  it('gives a lane its whole concurrency again when the cap of its tenant goes', async () => {
    const { start, round, quotas, divisions } = platform([spec('mail', {})], [], { acme: { cap: 1 } });
    await round();
    await quotas.remove('acme');
    await round(false);
    expect(await start('acme/mail', 60)).toHaveLength(50);
    expect(await divisions.grants()).toEqual([]);
  });

  it('tells lanes alone that they are free, not what was kept for newcomers, when a type has no capacity any more', async () => {
    const { start, round, types, divisions, queue } = platform([spec('mail', { capacity: 20 })]);
    await round();
    await start('acme/mail', 9);
    await round(false);
    expect((await divisions.grants()).map(({ tenant }) => tenant).toSorted()).toEqual(['acme', '~']);
    await types.put(spec('mail', {}));
    await round();
    expect(await divisions.grants()).toEqual([]);
    expect(queue.bodies().map(parseHint)).toContainEqual(expect.objectContaining({ kind: 'lane', tenant: 'acme', type: 'mail' }));
    expect(queue.bodies().filter((body) => parseHint(body) === undefined)).toEqual([]);
  });

  it('takes the share of a lane that has had no work for some minutes', async () => {
    const { start, end, round, clock, divisions } = platform([spec('mail', { capacity: 20 })]);
    await round();
    const entered = await start('acme/mail', 9);
    await round(false);
    await end(entered);
    await end(await start('acme/mail', 3));
    for (let minute = 0; minute < 4; minute++) {
      clock.advance(60_000);
      await round();
    }
    clock.advance(60_000);
    await round();
    expect((await divisions.grants()).map(({ tenant }) => tenant)).toEqual(['~']);
  });

  it('counts what a lane still holds whose share it has taken, until that has ended', async () => {
    const { start, end, round, clock, divisions } = platform([spec('mail', { capacity: 100 })]);
    await start('acme/mail', 60);
    await round();
    const held = await start('acme/mail', 60);
    await end(held.slice(1));
    await start('acme/mail', 0);
    const grantOf = async () => (await divisions.grants()).find(({ tenant }) => tenant === 'acme');
    for (let minute = 0; minute < 6; minute++) {
      await round();
      clock.advance(60_000);
      expect(await grantOf()).toBeDefined();
    }
    expect((await grantOf())?.shares.every((share) => share === 0)).toBe(true);
    await end(held.slice(0, 1));
    await round();
    await round();
    expect(await grantOf()).toBeUndefined();
  });

  it('gives its lease back only when nothing that it has begun is under way any more', async () => {
    const made = platform([spec('mail', { capacity: 100 }), spec('sms', { capacity: 100 })]);
    const writing = Promise.withResolvers<void>();
    const { setShare } = made.permits;
    let written = false;
    const late: PermitStore['setShare'] = async (lane, cell, share) => {
      if (lane.type === 'mail') throw new Error('a write that fails');
      await writing.promise;
      written = true;
      return setShare(lane, cell, share);
    };
    Object.assign(made.permits, { setShare: late });
    const { end } = made.divisions;
    const ended = vi.fn(async (holder: string) => (written ? end(holder) : Promise.reject(new Error('too early'))));
    Object.assign(made.divisions, { end: ended });
    const round = made.round();
    setTimeout(writing.resolve);
    await expect(round).rejects.toThrow('a write that fails');
    expect(ended).toHaveBeenCalledOnce();
  });

  it('spreads a wide share over cells', async () => {
    const { start, round, sharesOf } = platform([spec('mail', { capacity: 100, concurrency: 1_000 })]);
    expect(await start('acme/mail', 300)).toEqual([]);
    await round();
    expect(await sharesOf('acme/mail')).toEqual({ 'acme/mail': 90 });
    expect(await start('acme/mail', 120)).toHaveLength(90);
  });
});

describe('two rounds of control at once', () => {
  it('divide one after the other; the second is asked for again', async () => {
    const { divisions, clock, control, round } = platform([spec('mail', { capacity: 20 })]);
    await divisions.begin('another', clock.now(), clock.now() + LEASE_MS);
    await control.tell({ v: 1, kind: 'divide', made: 0, tenant: 'acme', type: 'mail' });
    await round(false);
    expect(await divisions.grants()).toEqual([]);
    expect(control.take()).toEqual([{ v: 1, kind: 'divide', made: 0, tenant: 'acme', type: 'mail' }]);
    expect(await divisions.end('another')).toBe(true);
    await round(false);
    expect(await divisions.grants()).toHaveLength(1);
  });

  it('write nothing once another has taken over', async () => {
    const { divisions, clock, round, permits, control } = platform([spec('mail', { capacity: 20 })]);
    await round();
    await control.tell({ v: 1, kind: 'divide', made: 0, tenant: 'acme', type: 'mail' });
    const read = permits.read;
    Object.assign(permits, {
      read: async (lane: Lane, cell: number) => {
        clock.advance(LEASE_MS);
        await divisions.begin('another', clock.now(), clock.now() + LEASE_MS);
        return read(lane, cell);
      },
    });
    await expect(round(false)).rejects.toThrow('another round of control has taken over');
    Object.assign(permits, { read });
    expect((await permits.read({ tenant: 'acme', type: 'mail' }, 0)).share).toBeUndefined();
    expect((await permits.read(entryOfType('mail'), 0)).share).toMatchObject({ share: 20 });
  });
});
