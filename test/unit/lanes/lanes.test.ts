import { laneViewSchema, type TaskTypeSpec } from '@sluice/contracts';
import { beforeEach, describe, expect, it } from 'vitest';
import { AIMD_DEFAULTS, initial } from '../../../core/limits/aimd.ts';
import { windowOf } from '../../../core/limits/rate-share.ts';
import { PERMITS_PER_CELL } from '../../../core/permits/cells.ts';
import { entryOfType } from '../../../core/permits/entry.ts';
import { makeHinted, makePermits } from '../../contract/fixtures.ts';
import { lane, lanePlatform, type LanePlatform } from '../../helpers/lanes-api.ts';
import { typeSpec } from '../../helpers/world.ts';

describe('a lane', () => {
  it('that was never used is open, and has what its type says', async () => {
    const view = await lanePlatform().get('echo');
    expect(laneViewSchema.parse(view)).toEqual(view);
    const none = { tasks: 0, more: false };
    expect(view).toMatchObject({
      tenant: 'acme',
      type: 'echo',
      inFlight: 0,
      limit: 10,
      limitedBy: { by: 'concurrency' },
      waiting: none,
      breaker: 'closed',
      why: { code: 'open', message: 'nothing holds it back: 10 more attempts may start' },
      limits: { concurrency: 10, capacities: [], rates: [], retries: 60 },
      waitingByClass: { high: none, normal: none, low: none },
      waitingForBudget: none,
    });
  });

  it('counts what is in flight and what waits, by class, with the age of the oldest', async () => {
    const { world, get, fly, wait } = lanePlatform();
    await fly('acme', 10);
    await wait('acme', 3);
    const now = world.clock.now();
    await world.deps.backlog.put(lane('acme'), [makeHinted({ at: now - 90_000, priority: 'low' })]);
    await world.deps.backlog.put(lane('acme'), [makeHinted({ at: now - 5_000, priority: 'high' })], 'budget');
    const view = await get('echo');
    expect(laneViewSchema.parse(view)).toEqual(view);
    expect(view).toMatchObject({
      inFlight: 10,
      waiting: { tasks: 5, more: false, oldestDueAt: new Date(now - 90_000).toISOString(), oldestAgeSeconds: 90 },
      waitingByClass: { high: { tasks: 0 }, normal: { tasks: 3, oldestAgeSeconds: 10 }, low: { tasks: 1, oldestAgeSeconds: 90 } },
      waitingForBudget: { tasks: 1, oldestAgeSeconds: 5 },
    });
    expect(view.why).toEqual({ code: 'full', message: "10 attempts are in flight and 10 may be: that is its type's concurrency" });
    // A lease that is over holds nothing.
    world.clock.advance(60_001);
    expect(await get('echo')).toMatchObject({ inFlight: 0, why: { code: 'open' } });
  });

  it('is found in all of its cells', async () => {
    const { get, list, fly, know } = lanePlatform(typeSpec('echo', { concurrency: 100, adaptive: false }));
    await know('acme');
    await fly('acme', 7, 'echo', 0);
    await fly('acme', 5, 'echo', 2);
    expect(await get('echo')).toMatchObject({ inFlight: 12, limit: 100 });
    expect((await list({ tenant: '*' })).lanes).toMatchObject([{ inFlight: 12, limit: 100 }]);
  });

  it.each(['No Type', '%23', 'x'.repeat(65)])('is none of what is no type: %s', async (type) => {
    expect(await lanePlatform().call('GET /v1/lanes/{type}', { path: { type } })).toMatchObject({
      status: 400,
      body: { code: 'bad_request' },
    });
  });

  it('of a type that is not deployed is told while something waits for it', async () => {
    const { call, get, wait } = lanePlatform();
    expect(await call('GET /v1/lanes/{type}', { path: { type: 'gone' } })).toMatchObject({ status: 404, body: { code: 'not_found' } });
    await wait('acme', 2, 'gone');
    const view = await get('gone');
    expect(laneViewSchema.parse(view)).toEqual(view);
    expect(view).toMatchObject({ limit: 0, waiting: { tasks: 2 }, why: { code: 'type_missing' } });
    expect(view).not.toHaveProperty('limitedBy');
  });
});

describe('what makes the limit of a lane', () => {
  const charge = (over: Partial<TaskTypeSpec> = {}) => typeSpec('echo', { concurrency: 10, capacity: 30, resources: ['stripe'], ...over });
  let divided: LanePlatform;
  beforeEach(async () => {
    divided = lanePlatform(charge(), typeSpec('other', { resources: ['stripe'] }));
    await divided.world.types.putResource({ v: 1, resource: 'stripe', concurrency: 20 });
  });

  it('is what it has found, where that is less than it may have', async () => {
    const { world, get } = lanePlatform(typeSpec('echo', { concurrency: 30 }));
    expect(await get('echo')).toMatchObject({ limit: 10, limitedBy: { by: 'adaptive' }, limits: { concurrency: 30, adaptive: 10 } });
    const { permits } = world.deps;
    const seen = await permits.read(lane('acme'), 0);
    const aimd = { ...initial(AIMD_DEFAULTS, PERMITS_PER_CELL), limit: 4, top: 5 };
    await permits.adapt(lane('acme'), 0, aimd, seen);
    expect(await get('echo')).toMatchObject({ limit: 4, limitedBy: { by: 'adaptive' }, limits: { adaptive: 4 } });
  });

  it('is the capacity that is used up', async () => {
    const { get, give, grant } = divided;
    await give('acme', 8);
    await grant('acme', [8]);
    await grant('globex', [9], 'other');
    await grant(entryOfType('echo').tenant, [3], 'echo');
    const view = await get('echo');
    expect(laneViewSchema.parse(view)).toEqual(view);
    expect(view).toMatchObject({
      limit: 8,
      limitedBy: { by: 'resource', name: 'stripe' },
      limits: {
        share: 8,
        capacities: [
          { by: 'type', name: 'echo', attempts: 30, given: 11 },
          { by: 'resource', name: 'stripe', attempts: 20, given: 20 },
        ],
      },
    });
  });

  it('is its share, where there is more to be had', async () => {
    const { get, give, grant } = divided;
    await give('acme', 2);
    await grant('acme', [2]);
    expect(await get('echo')).toMatchObject({ limit: 2, limitedBy: { by: 'share' } });
    await give('acme', 10, 'echo', 2);
    expect(await get('echo')).toMatchObject({ limit: 10, limitedBy: { by: 'concurrency' } });
  });

  it("is the tenant's cap, over all of its types", async () => {
    const { get, give, grant, quota } = lanePlatform(typeSpec('echo'), typeSpec('other'));
    await quota('acme', { cap: 5 });
    await give('acme', 3);
    await grant('acme', [3]);
    await grant('acme', [2], 'other');
    expect(await get('echo')).toMatchObject({ limit: 3, limitedBy: { by: 'quota', name: 'acme' } });
  });
});

describe('why a lane starts no more', () => {
  it('is its breaker', async () => {
    const { world, get } = lanePlatform();
    const now = world.clock.now();
    const open = {
      v: 1 as const,
      key: 'type:echo',
      seq: 1,
      state: 'open' as const,
      since: now,
      opening: 1,
      probeAt: now + 5_000,
      evidence: { crashes: [], alive: [], tenants: [] },
    };
    await world.deps.breakers?.write(open);
    const probeAt = new Date(now + 5_000).toISOString();
    expect(await get('echo')).toMatchObject({ breaker: 'open', why: { code: 'breaker_open', until: probeAt } });
    world.clock.advance(5_000);
    expect(await get('echo')).toMatchObject({ breaker: 'open', why: { code: 'breaker_probing' } });
    await world.deps.breakers?.write({ ...open, seq: 2, state: 'half-open', wave: 2 });
    const { why } = await get('echo');
    expect(why).toMatchObject({ code: 'breaker_probing', message: expect.stringContaining('up to 4 attempts') as string });
  });

  it('is a resource that is not deployed, or nothing that was given yet', async () => {
    const { world, get, grant } = lanePlatform(typeSpec('echo', { resources: ['stripe'] }));
    const missing = await get('echo');
    expect(laneViewSchema.parse(missing)).toEqual(missing);
    expect(missing).toMatchObject({ limit: 0, limitedBy: { by: 'resource', name: 'stripe' }, why: { code: 'resource_missing' } });
    await world.types.putResource({ v: 1, resource: 'stripe', concurrency: 2 });
    expect(await get('echo')).toMatchObject({
      limit: 0,
      why: { code: 'no_share', message: expect.stringContaining('within 10 s') as string },
    });
    await grant('globex', [2]);
    const { why } = await get('echo');
    expect(why).toMatchObject({
      code: 'no_share',
      message: expect.stringContaining('resource stripe is given to others, 2 of 2') as string,
    });
  });

  it('is its rates, or the pause of its only attempt', async () => {
    const { world, get } = lanePlatform(typeSpec('echo', { rates: [{ limit: 2, perSeconds: 10 }] }));
    const { permits } = world.deps;
    const now = world.clock.now();
    await permits.spend(lane('acme'), [{ was: 'rested', now: now * 1_000, add: 10_000_000, most: now * 1_000, seen: undefined }]);
    const at = new Date(now + 5_000).toISOString();
    expect(await get('echo')).toMatchObject({
      why: { code: 'rate', until: at, message: expect.stringContaining('2 in 10 s') as string },
      limits: { rates: [{ limit: 2, perSeconds: 10 }], nextStartAt: at },
    });
    world.clock.advance(5_000);
    expect(await get('echo')).toMatchObject({ why: { code: 'open' } });
    const seen = await permits.read(lane('acme'), 0);
    const cutAt = world.clock.now();
    const aimd = { ...initial(AIMD_DEFAULTS, PERMITS_PER_CELL), limit: 1, top: 2, cutAt, pause: 1_000 };
    await permits.adapt(lane('acme'), 0, aimd, seen);
    expect(await get('echo')).toMatchObject({ why: { code: 'paused', until: new Date(cutAt + 1_000).toISOString() } });
  });

  it('is its part of the rates of its resources', async () => {
    const { world, get, give } = lanePlatform(typeSpec('echo', { resources: ['stripe'], rates: [{ limit: 5, perSeconds: 1 }] }));
    await world.types.putResource({ v: 1, resource: 'stripe', concurrency: 20, rates: [{ limit: 3, perSeconds: 60 }] });
    await give('acme', 5);
    const { permits } = world.deps;
    const now = world.clock.now();
    const pace = async (version: number, limit: number, tokens: number) =>
      permits.setRates(
        lane('acme'),
        { version, windows: [windowOf({ limit, perSeconds: 60 }, tokens, world.clock.now())] },
        await permits.read(lane('acme'), 0),
      );
    await pace(1, 2, 0);
    const at = new Date(now + 30_000).toISOString();
    const view = await get('echo');
    expect(laneViewSchema.parse(view)).toEqual(view);
    expect(view).toMatchObject({
      why: {
        code: 'rate',
        until: at,
        message: `its part of the rates of resource stripe (2 in 60 s) lets the next attempt start at ${at}`,
      },
      limits: { rates: [{ limit: 5, perSeconds: 1 }], resourceRates: [{ limit: 2, perSeconds: 60 }], nextStartAt: at },
    });
    await pace(2, 0, 0);
    const { why, limits } = await get('echo');
    expect(why).toEqual({
      code: 'rate',
      message: 'it was given nothing of the rates of resource stripe: it gets some within 10 s of having work, or by turns',
    });
    expect(limits).not.toHaveProperty('nextStartAt');
    await pace(3, 2, 2);
    expect(await get('echo')).toMatchObject({ why: { code: 'open' } });
  });

  it('is what is kept for a class above', async () => {
    const { world, get, fly } = lanePlatform(typeSpec('echo', { concurrency: 40, adaptive: false }));
    const { permits } = world.deps;
    await fly('acme', 36);
    const now = world.clock.now();
    const [permit] = makePermits(1);
    const demands = { classes: { seen: ['high' as const], now } };
    await permits.acquire(lane('acme'), 0, [{ ...permit!, expiry: now + 60_000 }], 40, undefined, demands);
    await permits.raise(lane('acme'), 0, 'permits', ['low']);
    const { why } = await get('echo');
    expect(why).toEqual({ code: 'reserved', message: 'what is free is kept for high and normal: low waits for an attempt to end' });
    world.clock.advance(300_001);
    expect(await get('echo')).toMatchObject({ why: { code: 'open' } });
  });

  it('is the budget of retries, where nothing else waits', async () => {
    const { world, get } = lanePlatform(typeSpec('echo', { retryBudget: { percent: 10, perMinute: 1 } }));
    const { permits } = world.deps;
    const now = world.clock.now();
    const mark = { at: now, firsts: 0, retries: 0 };
    const [permit] = makePermits(1);
    await permits.acquire(lane('acme'), 0, [{ ...permit!, expiry: now + 1_000 }], 10, {
      firsts: 0,
      retries: 1,
      within: { seen: undefined, base: mark, next: mark, most: 1 },
    });
    await permits.raise(lane('acme'), 0, 'budget');
    const view = await get('echo');
    expect(view).toMatchObject({ why: { code: 'retry_budget' }, limits: { retries: 0 } });
    await permits.raise(lane('acme'), 0, 'permits', ['normal']);
    expect(await get('echo')).toMatchObject({ why: { code: 'open', message: expect.stringContaining('9 more attempts') as string } });
  });
});
