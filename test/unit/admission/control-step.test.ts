import type { AdmissionReport, ControlMessage, HintedTask } from '@sluice/contracts';
import { describe, expect, it } from 'vitest';
import { createMemoryAdmissionStore } from '../../../adapters/memory/index.ts';
import type { AdmissionBounds } from '../../../core/admission/bounds.ts';
import { admissionStep } from '../../../core/admission/control-step.ts';
import type { QueueDepth } from '../../../core/routing/observe.ts';
import { traced } from '../../helpers/faults.ts';
import { createWorld, typeSpec } from '../../helpers/world.ts';

const TOLD = [{ v: 1, kind: 'admission', made: 0 }] as const;

function setUp(quotas: Readonly<Record<string, AdmissionBounds>> = {}, commonBounds: AdmissionBounds = {}) {
  const world = createWorld({ types: [typeSpec('echo', { concurrency: 10 })] });
  const admissions = createMemoryAdmissionStore();
  const depth = { visible: 0 as number | undefined };
  const { deps, calls } = traced(world.deps);
  const step = admissionStep({
    ...deps,
    admissions,
    quotas: { get: async (tenant) => quotas[tenant] && { v: 1, tenant, quota: quotas[tenant], updatedAt: 0 } },
    commonBounds,
    watch: {
      depths: async (queues) =>
        queues.map((): QueueDepth | undefined =>
          depth.visible === undefined ? undefined : { visible: depth.visible, inFlight: 0, delayed: 0 },
        ),
    },
  });
  const run = (given: { minute?: boolean; told?: readonly ControlMessage[] } = {}) =>
    step.run({ now: world.clock.now(), deadline: world.clock.now() + 60_000, minute: true, told: [], ...given });
  const report = (over: Partial<AdmissionReport> = {}) =>
    admissions.putReport({
      v: 1,
      by: 'e1',
      from: world.clock.now() - 5_000,
      to: world.clock.now(),
      tasks: 500,
      refused: 0,
      flows: [['a', 500, 0]],
      ...over,
    });
  const park = async (tenant: string, count: number, ageMs = 0) => {
    const at = world.clock.now() - ageMs;
    const items = Array.from({ length: count }, (): HintedTask => ({
      id: 'x',
      uid: world.deps.random.ulid(at),
      seq: 0,
      at,
      made: at,
      type: 'echo',
      priority: 'normal',
    }));
    await world.deps.backlog.put({ tenant, type: 'echo' }, items);
    await world.deps.backlog.register({ tenant, type: 'echo' }, world.clock.now());
  };
  const start = async (tenant: string, firsts: number) => {
    const permit = { expiry: world.clock.now() + 1_000, nonce: world.deps.random.nonce() };
    await world.deps.permits.acquire({ tenant, type: 'echo' }, 0, [permit], 1_000, { firsts, retries: 0 });
  };
  return { world, admissions, depth, calls, run, report, park, start };
}

describe('the step of control', () => {
  it('writes nothing while nothing is told, bounded or refused', async () => {
    const { run, admissions, park } = setUp();
    await park('a', 5);
    await run();
    expect(await admissions.document()).toBeUndefined();
    expect(await admissions.state()).toBeUndefined();
  });

  it('puts together what environments told, and pauses between two rounds that it was told of', async () => {
    const { run, admissions, report, world } = setUp();
    await report();
    await report({ by: 'e2', flows: [['b', 100, 10]], tasks: 100, refused: 10 });
    await run({ minute: false });
    expect(await admissions.document()).toBeUndefined();
    await run({ minute: false, told: TOLD });
    const document = await admissions.document();
    expect(document).toMatchObject({ environments: 2, offered: 120, refused: 2 });
    expect(document?.tenants).toEqual([
      { tenant: 'a', offered: 100, refused: 0 },
      { tenant: 'b', offered: 20, refused: 2 },
    ]);
    world.clock.advance(3_000);
    await run({ minute: false, told: TOLD });
    expect((await admissions.document())?.at).toBe(document?.at);
    world.clock.advance(20_000);
    await run({ minute: false, told: TOLD });
    // Whoever told something is silent.
    expect(await admissions.document()).toMatchObject({ environments: 0, offered: 0, tenants: [] });
  });

  it('refuses a tenant whose backlog is full what does not start, and nobody else', async () => {
    const { run, admissions, report, park, start, world } = setUp({ a: { backlog: 100 } });
    await park('a', 95);
    await park('b', 500);
    await start('a', 10);
    await report({
      flows: [
        ['a', 500, 0],
        ['b', 500, 0],
      ],
    });
    await run();
    world.clock.advance(10_000);
    // 20 a second have started since.
    await start('a', 200);
    await report({
      flows: [
        ['a', 500, 0],
        ['b', 500, 0],
      ],
    });
    await run({ minute: false, told: TOLD });
    const tenants = (await admissions.document())?.tenants ?? [];
    expect(tenants.find(({ tenant }) => tenant === 'b')?.refuse).toBeUndefined();
    const refuse = tenants.find(({ tenant }) => tenant === 'a')?.refuse;
    // Of 100 a second those 20 are admitted, and the five that have room in half a minute.
    expect(refuse).toMatchObject({ code: 'backlog_full' });
    expect(refuse?.part).toBeCloseTo(1 - (20 + 5 / 30) / 100, 3);
    expect(refuse?.waitSeconds).toBeLessThanOrEqual(1);
  });

  it('shuts at the bound, also where nothing is reported, and opens when there is room', async () => {
    const { run, admissions, park, world } = setUp({}, { backlog: 10 });
    await park('a', 10);
    await run();
    expect((await admissions.document())?.tenants).toMatchObject([{ tenant: 'a', refuse: { code: 'backlog_full', part: 1 } }]);
    const first = await world.deps.backlog.first({ tenant: 'a', type: 'echo' }, 9);
    await world.deps.backlog.remove({ tenant: 'a', type: 'echo' }, first);
    world.clock.advance(60_000);
    await run();
    expect((await admissions.document())?.tenants).toEqual([]);
  });

  it('refuses a tenant whose oldest task has waited too long, until those are worked off', async () => {
    const { run, admissions, park } = setUp({ a: { maxAgeSeconds: 60 } });
    await park('a', 10, 120_000);
    await run();
    expect((await admissions.document())?.tenants).toMatchObject([
      { tenant: 'a', refuse: { code: 'backlog_too_old', part: 1, waitSeconds: 300 } },
    ]);
  });

  it('names the rates of tenants that have one', async () => {
    const { run, admissions, report } = setUp({ a: { rate: 7, burst: 9 } });
    await report();
    await run();
    expect((await admissions.document())?.tenants).toEqual([{ tenant: 'a', offered: 100, refused: 0, rate: 7, burst: 9 }]);
  });

  it('refuses by weight while the shared queues are pressed, and not while they do not answer', async () => {
    const { run, admissions, report, depth, world } = setUp({ heavy: { weight: 3 } });
    const flood = () =>
      report({
        tasks: 10_000,
        flows: [
          ['flood', 6_000, 0],
          ['heavy', 3_900, 0],
          ['small', 100, 0],
        ],
      });
    await flood();
    await run();
    world.clock.advance(10_000);
    depth.visible = 800;
    await flood();
    await run();
    const found = await admissions.document();
    expect(found).toMatchObject({ offered: 2_000 });
    // 12 queues, 800 messages each, of 2,000 a second that came: 1,040 a second go.
    expect((await admissions.state())?.depth).toMatchObject({ waiting: 9_600, drained: 1_040 });
    expect(found?.target).toBeUndefined();
    world.clock.advance(10_000);
    depth.visible = 8_000;
    await flood();
    await run();
    const pressed = await admissions.document();
    const partOf = (tenant: string) => pressed?.tenants.find((each) => each.tenant === tenant)?.refuse?.part ?? 0;
    expect(pressed?.target).toBeLessThan(1_040);
    expect(partOf('small')).toBe(0);
    expect(partOf('flood')).toBeGreaterThan(partOf('heavy'));
    const admitted = (tenant: string, offered: number) => offered * (1 - partOf(tenant));
    expect(admitted('flood', 1_200) + admitted('heavy', 780) + 20).toBeCloseTo(pressed?.target ?? 0, -1);

    world.clock.advance(10_000);
    depth.visible = undefined;
    await flood();
    await run();
    expect((await admissions.document())?.target).toBeUndefined();
  });

  it('does not pause for a quota that was set, and reads it anew', async () => {
    const quotas: Record<string, AdmissionBounds> = {};
    const { run, admissions, report, park, world } = setUp(quotas);
    await park('b', 20);
    await report();
    await run({ minute: false, told: TOLD });
    world.clock.advance(1_000);
    quotas['a'] = { rate: 3 };
    quotas['b'] = { backlog: 10 };
    await run({ minute: false, told: ['a', 'b', 'c'].map((tenant) => ({ v: 1, kind: 'divide', made: 0, tenant })) });
    const { tenants = [] } = (await admissions.document()) ?? {};
    expect(tenants).toContainEqual(expect.objectContaining({ tenant: 'a', rate: 3 }));
    expect(tenants).toContainEqual(expect.objectContaining({ tenant: 'b', refuse: expect.objectContaining({ code: 'backlog_full' }) }));
    // A rate that nobody has yet met is told as well, and nothing of a tenant that has none.
    expect(tenants.map(({ tenant }) => tenant)).toEqual(['a', 'b']);
    delete quotas['b'];
    world.clock.advance(1_000);
    await run({ minute: false, told: [{ v: 1, kind: 'divide', made: 0, tenant: 'b' }] });
    expect((await admissions.document())?.tenants.map(({ tenant, refuse }) => [tenant, refuse])).toEqual([['a', undefined]]);
    // What a lane tells is for others.
    const { at } = (await admissions.document()) ?? {};
    world.clock.advance(10_000);
    await run({ minute: false, told: [{ v: 1, kind: 'divide', made: 0, tenant: 'b', type: 'echo' }] });
    expect((await admissions.document())?.at).toBe(at);
  });
});
