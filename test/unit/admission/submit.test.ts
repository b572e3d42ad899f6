import type { AdmissionDocument } from '@sluice/contracts';
import { describe, expect, it } from 'vitest';
import { createMemoryAdmissionStore, createMemoryControlQueue, createMemoryTelemetry } from '../../../adapters/memory/index.ts';
import { createAdmission } from '../../../core/admission/admission.ts';
import type { AdmissionBounds } from '../../../core/admission/bounds.ts';
import { createAdmissionFeed } from '../../../core/admission/feed.ts';
import { submitTasks } from '../../../core/submit/submit.ts';
import { createWorld, typeSpec } from '../../helpers/world.ts';

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

interface Given {
  readonly bounds?: AdmissionBounds;
  readonly quotas?: Readonly<Record<string, AdmissionBounds>>;
}

function gateOf(world: ReturnType<typeof createWorld>, { bounds, quotas = {} }: Given = {}) {
  const telemetry = createMemoryTelemetry();
  const store = createMemoryAdmissionStore();
  const control = createMemoryControlQueue();
  const failing = { now: false };
  const slow = { now: false };
  const waited: number[] = [];
  const calls = { quotas: 0, documents: 0, reports: 0 };
  const counted = async <T>(name: keyof typeof calls, answer: () => Promise<T>): Promise<T> => {
    calls[name] += 1;
    if (slow.now) return new Promise<never>(() => undefined);
    if (failing.now) throw new Error('the table is gone');
    return answer();
  };
  const feed = createAdmissionFeed({
    admissions: {
      ...store,
      document: () => counted('documents', () => store.document()),
      putReport: (report) => counted('reports', () => store.putReport(report)),
    },
    quotas: {
      get: (tenant) => counted('quotas', async () => quotas[tenant] && { v: 1, tenant, quota: quotas[tenant], updatedAt: 0 }),
    },
    control,
    clock: world.clock,
    timer: { sleep: async (ms) => (slow.now ? void waited.push(ms) : new Promise<void>(() => undefined)) },
    random: world.deps.random,
    telemetry,
  });
  const admission = createAdmission({ feed, clock: world.clock, random: world.deps.random, telemetry, ...(bounds && { bounds }) });
  const submit = (tenant: string, ...submissions: object[]) => submitTasks({ ...world.deps, admission }, tenant, submissions);
  const admit = async (tenant: string, count: number): Promise<number> => {
    await admission.ready(tenant, count);
    return admission.admit(tenant, count).admitted;
  };
  return { admit, admission, store, control, telemetry, failing, slow, waited, calls, submit };
}

function documentOf(world: ReturnType<typeof createWorld>, over: Partial<AdmissionDocument>): AdmissionDocument {
  return { v: 1, at: world.clock.now(), environments: 1, offered: 10, refused: 0, tenants: [], ...over };
}

const tasks = (count: number, over: object = {}) => Array.from({ length: count }, (_, n) => ({ type: 'echo', id: `t${n}`, ...over }));

describe('a submission beyond a bound', () => {
  it('is refused with a code, and the seconds until it may come again; then it is taken', async () => {
    const world = createWorld();
    const { submit, telemetry } = gateOf(world, { bounds: { rate: 1, burst: 2 } });

    const results = await submit('a', ...tasks(3));
    expect(results.map(({ ok }) => ok)).toEqual([true, true, false]);
    const refused = results[2];
    if (!refused || refused.ok) throw new Error('it was taken');
    expect(refused.error).toMatchObject({ code: 'rate_limited', status: 429, retryable: true, details: { retryAfterSeconds: 2 } });
    expect(refused.error.message).toContain('submit it again after 2 s');
    expect(telemetry.total('admission.rate_limited')).toBe(1);
    // Of what was refused nothing was made: no row, no hint.
    expect(world.tasks.rows().map(({ id }) => id)).toEqual(['t0', 't1']);

    world.clock.advance(2_000);
    expect((await submit('a', { type: 'echo', id: 't2' })).map(({ ok }) => ok)).toEqual([true]);
  });

  it('leaves the others of its call, the more urgent ones first', async () => {
    const world = createWorld();
    const { submit } = gateOf(world, { bounds: { rate: 1, burst: 2 } });
    const results = await submit('a', { type: 'echo', id: 'low', priority: 'low' }, ...tasks(1), {
      type: 'echo',
      id: 'high',
      priority: 'high',
    });
    expect(results.map(({ ok }) => ok)).toEqual([false, true, true]);
  });

  it('is not counted where it is wrong anyway', async () => {
    const world = createWorld();
    const { submit } = gateOf(world, { bounds: { rate: 1, burst: 1 } });
    const results = await submit('a', { type: 'none' }, { type: 'echo', id: 't1' }, { type: 'echo', payload: 1, delaySeconds: -1 });
    expect(results.map((result) => (result.ok ? 'ok' : result.error.code))).toEqual(['unknown_type', 'ok', 'bad_request']);
  });

  it('of one tenant says nothing of another', async () => {
    const world = createWorld();
    const { submit } = gateOf(world, { bounds: { rate: 1, burst: 1 } });
    expect((await submit('a', ...tasks(5))).filter(({ ok }) => !ok)).toHaveLength(4);
    expect((await submit('b', ...tasks(1))).filter(({ ok }) => !ok)).toHaveLength(0);
  });

  it('is known by the quota of its tenant once the tenant is noticed', async () => {
    const world = createWorld({ types: [typeSpec('echo', { concurrency: 100 })] });
    const { submit, calls } = gateOf(world, { quotas: { a: { rate: 10, burst: 10 } } });
    await submit('a', ...tasks(5));
    expect(calls.quotas).toBe(0);
    world.clock.advance(1_000);
    expect((await submit('a', ...tasks(25, { labels: { again: 'yes' } }))).filter(({ ok }) => !ok)).toHaveLength(15);
    expect(calls).toEqual({ quotas: 1, documents: 1, reports: 0 });
    // It holds in the next interval from the first task on, and is read anew every five seconds.
    world.clock.advance(5_000);
    await submit('a', ...tasks(11, { labels: { again: 'more' } }));
    expect(calls.quotas).toBe(2);
  });
});

describe('what control says', () => {
  const refuse = { code: 'backlog_full', part: 1, waitSeconds: 40 } as const;

  it('is heard after some seconds, and not for ever', async () => {
    const world = createWorld();
    const { submit, store } = gateOf(world);
    await submit('a', { type: 'echo', id: 't0' });
    await store.putDocument(documentOf(world, { tenants: [{ tenant: 'a', offered: 5, refused: 0, refuse }] }));
    world.clock.advance(5_000);
    // It is read while this one is taken.
    expect((await submit('a', { type: 'echo', id: 't1' }))[0]?.ok).toBe(true);
    await settled();
    const [refused] = await submit('a', { type: 'echo', id: 't2' });
    if (!refused || refused.ok) throw new Error('it was taken');
    expect(refused.error.code).toBe('backlog_full');
    expect(refused.error.details?.['retryAfterSeconds']).toBeGreaterThanOrEqual(40);
    expect(refused.error.details?.['retryAfterSeconds']).toBeLessThanOrEqual(50);
    expect((await submit('b', { type: 'echo', id: 't2' }))[0]?.ok).toBe(true);

    // Nobody has renewed it.
    world.clock.advance(90_001);
    expect((await submit('a', { type: 'echo', id: 't3' }))[0]?.ok).toBe(true);
  });

  it('refuses a part by lot', async () => {
    const world = createWorld({ types: [typeSpec('echo', { concurrency: 100 })] });
    const { admit, admission, store } = gateOf(world);
    await store.putDocument(
      documentOf(world, { tenants: [{ tenant: 'a', offered: 50_000, refused: 0, refuse: { ...refuse, code: 'throttled', part: 0.3 } }] }),
    );
    await admit('a', 1);
    const alone = Array.from({ length: 2_000 }, () => admission.admit('a', 1).admitted).reduce((sum, n) => sum + n, 0);
    expect(alone / 2_000).toBeGreaterThan(0.66);
    expect(alone / 2_000).toBeLessThan(0.74);
    const { admitted } = admission.admit('a', 100);
    expect(admitted === 70 || admitted === 69).toBe(true);
  });
});

describe('an environment of submit', () => {
  it('costs no call while little comes: a lone task now and then tells nothing and asks for no quota', async () => {
    const world = createWorld();
    const { admit, calls, control } = gateOf(world);
    for (let n = 0; n < 200; n++) {
      await admit(`t${n % 7}`, 1);
      await settled();
      world.clock.advance(1_000);
    }
    // What control says is read every five seconds.
    expect(calls).toEqual({ quotas: 0, documents: 40, reports: 0 });
    expect(control.take()).toEqual([]);
  });

  it('tells under load every five seconds, and control when that was not put together for ten', async () => {
    const world = createWorld();
    const { admit, calls, control, store } = gateOf(world);
    const load = async (seconds: number) => {
      for (let n = 0; n < seconds * 10; n++) {
        await admit(`t${n % 7}`, 5);
        world.clock.advance(100);
        await settled();
      }
    };
    await load(11);
    expect(calls.reports).toBe(2);
    expect(control.take()).toHaveLength(2);
    const reports = await store.reports(0);
    expect(reports[0]).toMatchObject({ tasks: 250, refused: 0, messages: 50 });
    expect(reports[0]?.flows.reduce((sum, [, n]) => sum + n, 0)).toBe(250);
    await store.putDocument(documentOf(world, {}));
    // It is heard within five seconds; what is told then is put together already.
    await load(5);
    control.take();
    await load(4.2);
    expect(calls.reports).toBe(4);
    expect(control.take()).toHaveLength(0);
  });

  it('tells of a flood in its first second', async () => {
    const world = createWorld();
    const { admit, calls } = gateOf(world);
    await admit('a', 500);
    world.clock.advance(1_000);
    await admit('a', 500);
    await settled();
    expect(calls.reports).toBe(1);
  });

  it('admits everybody while the table does not answer, counts it, and asks again only after five seconds', async () => {
    const world = createWorld();
    const { admit, failing, telemetry, calls } = gateOf(world, { quotas: { a: { rate: 1 } } });
    failing.now = true;
    for (let n = 0; n < 100; n++) {
      expect(await admit('a', 10)).toBe(10);
      world.clock.advance(20);
      await settled();
    }
    expect(calls.documents + calls.quotas + calls.reports).toBe(telemetry.total('admission.failed'));
    expect(calls).toEqual({ documents: 1, quotas: 1, reports: 1 });
  });

  it('forgets what it counted before a long silence', async () => {
    const world = createWorld();
    const { admit, calls } = gateOf(world);
    await admit('a', 5_000);
    world.clock.advance(60_000);
    await admit('a', 1);
    await settled();
    expect(calls.reports).toBe(0);
  });

  it('waits for what it knows no more, half a second at most, and not each time while the table is slow', async () => {
    const world = createWorld();
    const { admit, slow, waited, calls } = gateOf(world, { quotas: { a: { rate: 1, burst: 1 } } });
    expect(await admit('a', 50)).toBe(1);
    expect(await admit('b', 1)).toBe(1);
    world.clock.advance(50_000);
    slow.now = true;
    // What was known is better than nothing: the bound stays, although nobody can read it.
    expect(await admit('a', 50)).toBe(1);
    expect(waited).toEqual([500, 500]);
    world.clock.advance(500);
    expect(await admit('a', 50)).toBe(0);
    expect([waited.length, calls.documents, calls.quotas]).toEqual([2, 2, 2]);
    world.clock.advance(4_500);
    expect(await admit('b', 1)).toBe(1);
    expect([waited.length, calls.documents, calls.quotas]).toEqual([3, 3, 2]);
  });

  it('waits for nobody while something comes every second or two', async () => {
    const world = createWorld();
    const { admission } = gateOf(world, { quotas: { a: { rate: 100, burst: 100 } } });
    const waits: number[] = [];
    for (let second = 0; second < 60; second += 2) {
      const wait = admission.ready('a', 50);
      if (wait) waits.push(second);
      await wait;
      admission.admit('a', 50);
      await settled();
      world.clock.advance(2_000);
    }
    expect(waits).toEqual([0]);
  });
});
