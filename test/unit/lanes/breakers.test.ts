import { breakerListSchema, breakerViewSchema, type Breaker, type BreakerList, type BreakerView, type LaneList } from '@sluice/contracts';
import { describe, expect, it } from 'vitest';
import { makeHinted } from '../../contract/fixtures.ts';
import { createApi } from '../../helpers/api.ts';
import { typeSpec } from '../../helpers/world.ts';

const UID = '01KDVDNA00F2CR961DJS96NHR6';

function exit(): never {
  throw Object.assign(new Error('RequestId: 7 Error: Runtime exited with error: exit status 1'), {
    name: 'Runtime.ExitError',
    stack: undefined,
  });
}

/** A platform whose attempts all crash. */
function platform() {
  const { world, call } = createApi({ types: [typeSpec('calm'), typeSpec('echo')], handlers: { echo: exit } });
  return {
    world,
    call,
    get: async (breaker: string) => (await call('GET /v1/breakers/{breaker}', { path: { breaker } })).body as BreakerView,
    list: async (query: Record<string, string> = {}) => (await call('GET /v1/breakers', { query })).body as BreakerList,
    crash: async () => {
      for (const tenant of ['acme', 'globex', 'initech']) await world.submit(tenant, { type: 'echo', id: 'a' }, { type: 'echo', id: 'b' });
      while (await world.pump());
    },
    write: async (over: Partial<Breaker>) => {
      const stored = await world.breakersOf.read(over.key ?? 'type:echo');
      const next: Breaker = {
        v: 1,
        key: 'type:echo',
        state: 'closed',
        since: world.clock.now(),
        opening: 1,
        evidence: { crashes: [], alive: [], tenants: [] },
        ...stored,
        ...over,
        seq: (stored?.seq ?? 0) + 1,
      };
      expect((await world.breakersOf.write(next)).applied).toBe(true);
    },
  };
}

const at = (ms: number): string => new Date(ms).toISOString();

describe('a breaker', () => {
  it('that has never seen a crash is closed, for a type that is deployed', async () => {
    const { get, call, list } = platform();
    const view = await get('type:calm');
    expect(breakerViewSchema.parse(view)).toEqual(view);
    expect(view).toEqual({
      breaker: 'type:calm',
      state: 'closed',
      why: { message: 'no crash is remembered', crashedTasks: 0, tenants: [], otherAttempts: 0 },
      held: { tasks: 0, more: false, lanes: 0 },
    });
    expect(await list()).toEqual({ breakers: [] });
    for (const breaker of ['type:gone', 'resource:db', 'pool:calm']) {
      const answer = await call('GET /v1/breakers/{breaker}', { path: { breaker } });
      expect(answer).toMatchObject({ status: 404, body: { code: 'not_found' } });
    }
    for (const breaker of ['calm', 'type:', 'type:No']) {
      const answer = await call('GET /v1/breakers/{breaker}', { path: { breaker } });
      expect(answer).toMatchObject({ status: 400, body: { code: 'bad_request' } });
    }
  });

  it('that has opened tells what for, when it probes, and what it holds', async () => {
    const { world, get, list, crash } = platform();
    const began = world.clock.now();
    await crash();
    const view = await get('type:echo');
    expect(breakerViewSchema.parse(view)).toEqual(view);
    const now = world.clock.now();
    expect(view).toMatchObject({
      state: 'open',
      openedAt: at(now),
      nextProbeAt: at(now + 5_000),
      why: { crashedTasks: 3, otherAttempts: 0, from: at(began), to: at(now) },
    });
    expect(view.why.message).toMatch(
      /^attempts of 3 different tasks of \d tenants? crashed, and 0 that began in that time did not: it is all of them/,
    );
    await world.submit('late', { type: 'echo' }, { type: 'echo' });
    while (await world.pump());
    world.clock.advance(2_000);
    const { held } = await get('type:echo');
    expect(held).toEqual({ tasks: 2, more: false, lanes: 1, oldestDueAt: at(now), oldestAgeSeconds: 2 });
    expect(await list({ state: 'open' })).toMatchObject({ breakers: [{ breaker: 'type:echo', held }] });
  });

  it('that probes tells how far it is', async () => {
    const { world, get, crash, write } = platform();
    await crash();
    const now = world.clock.now();
    await write({ state: 'half-open', wave: 2, passed: 3, crashed: 1, probes: [[UID, now + 1]] });
    expect(await get('type:echo')).toMatchObject({ state: 'half-open', probes: { atOnce: 4, underWay: 1, passed: 3, crashed: 1 } });
    world.clock.advance(1);
    expect(await get('type:echo')).toMatchObject({ probes: { underWay: 0 } });
    expect(await get('type:echo')).not.toHaveProperty('nextProbeAt');
  });

  it('that is closed tells what it remembers, and holds nothing', async () => {
    const { world, get, write } = platform();
    const now = world.clock.now();
    const crashes = Array.from({ length: 12 }, (_, n) => ({ at: now - 1_000 + n, seen: now, tenant: `t${n}`, uid: UID, n: 2 }));
    const alive: [number, number][] = [
      [Math.floor((now - 1_000) / 1_000) - 1, 7],
      [Math.floor(now / 1_000), 5],
    ];
    await write({ evidence: { crashes, alive, tenants: [] } });
    await world.deps.backlog.register({ tenant: 'acme', type: 'echo' }, now);
    await world.deps.backlog.put({ tenant: 'acme', type: 'echo' }, [makeHinted({ type: 'echo' })]);
    const view = await get('type:echo');
    expect(view).toMatchObject({ state: 'closed', why: { crashedTasks: 24, otherAttempts: 5 }, held: { tasks: 0, lanes: 0 } });
    expect(view.why.tenants).toHaveLength(10);
    expect(view.why.message).toContain('24 different tasks of 12 tenants crashed, and 5 that began in that time did not: not enough');
  });
});

describe('the breaker of a resource', () => {
  it('is there once the resource is deployed, and holds the lanes of all types that draw on it', async () => {
    const { world, call } = createApi({
      types: [typeSpec('a', { resources: ['db'] }), typeSpec('b', { resources: ['db'] }), typeSpec('c')],
    });
    const get = async () => (await call('GET /v1/breakers/{breaker}', { path: { breaker: 'resource:db' } })).body as BreakerView;
    await world.types.putResource({ v: 1, resource: 'db', concurrency: 10 });
    expect(await get()).toMatchObject({ breaker: 'resource:db', state: 'closed', held: { tasks: 0 } });
    const now = world.clock.now();
    const open: Breaker = {
      v: 1,
      key: 'resource:db',
      seq: 1,
      state: 'open',
      since: now,
      opening: 1,
      probeAt: now + 5_000,
      evidence: { crashes: [], alive: [], tenants: [] },
    };
    await world.breakersOf.write(open);
    for (const type of ['a', 'b', 'c']) {
      await world.deps.backlog.register({ tenant: 'acme', type }, now);
      await world.deps.backlog.put({ tenant: 'acme', type }, [makeHinted({ type })]);
      await world.deps.permits.raise({ tenant: 'acme', type }, 0, 'permits', ['normal']);
    }
    expect(await get()).toMatchObject({ state: 'open', held: { tasks: 2, lanes: 2 } });
    const { body } = await call('GET /v1/lanes', { tenant: 'acme', query: { waiting: 'true' } });
    const lanes = (body as LaneList).lanes.map(({ type, breaker, why }) => [type, breaker, why.code, why.message.includes('resource:db')]);
    expect(lanes).toEqual([
      ['a', 'open', 'breaker_open', true],
      ['b', 'open', 'breaker_open', true],
      ['c', 'closed', 'open', false],
    ]);
    const one = await call('GET /v1/lanes/{type}', { tenant: 'acme', path: { type: 'b' } });
    expect(one.body).toMatchObject({ breaker: 'open', why: { code: 'breaker_open', until: at(now + 5_000) } });
  });
});

describe('the list of breakers', () => {
  it('has those that are not closed first', async () => {
    const { list, write } = platform();
    for (const [key, state] of [
      ['type:a', 'closed'],
      ['type:b', 'open'],
      ['type:c', 'half-open'],
      ['type:d', 'closed'],
    ] as const) {
      await write({ key, state });
    }
    const all = await list();
    expect(breakerListSchema.parse(all)).toEqual(all);
    expect(all.breakers.map(({ breaker }) => breaker)).toEqual(['type:b', 'type:c', 'type:a', 'type:d']);
    expect((await list({ state: 'closed' })).breakers.map(({ breaker }) => breaker)).toEqual(['type:a', 'type:d']);
  });

  it('is for operators alone, since it names the tenants of all', async () => {
    const { call } = platform();
    for (const route of ['GET /v1/breakers', 'GET /v1/breakers/{breaker}']) {
      const answer = await call(route, { path: { breaker: 'type:echo' }, scopes: ['admin'] });
      expect(answer).toMatchObject({ status: 403, body: { details: { needed: 'platform' } } });
    }
    expect(await call('GET /v1/breakers', { query: { state: 'ajar' } })).toMatchObject({ status: 400, body: { code: 'bad_request' } });
  });

  it('says that there is more where it holds very many lanes', async () => {
    const { world, get, list, write } = platform();
    await write({ state: 'open' });
    for (let n = 0; n < 25; n++) {
      const lane = { tenant: `t${n}`, type: 'echo' };
      await world.deps.backlog.register(lane, world.clock.now());
      await world.deps.backlog.put(lane, [makeHinted({ type: 'echo' })]);
    }
    expect((await list()).breakers).toMatchObject([{ held: { tasks: 20, more: true, lanes: 25 } }]);
    expect(await get('type:echo')).toMatchObject({ held: { tasks: 25, more: false, lanes: 25 } });
  });
});
