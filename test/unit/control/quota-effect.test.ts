import type { ControlMessage, HintedTask, Quota, TaskTypeSpec } from '@sluice/contracts';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { describe, expect, it } from 'vitest';
import { createRoutingMap } from '../../../adapters/aws/routing-store.ts';
import { createMemoryClock, createMemoryRandom } from '../../../adapters/memory/index.ts';
import { createAdmission } from '../../../core/admission/admission.ts';
import { admissionStep } from '../../../core/admission/control-step.ts';
import { createAdmissionFeed } from '../../../core/admission/feed.ts';
import { divideStep } from '../../../core/control/divide-capacities.ts';
import { runRound, type ControlStep } from '../../../core/control/round.ts';
import { submitTasks } from '../../../core/submit/submit.ts';
import { deleteQuota, putQuota } from '../../../core/quotas/manage.ts';
import { sensitiveTenants } from '../../../core/routing/sensitive-tenants.ts';
import { shuffleShard } from '../../../core/routing/shuffle-shard.ts';
import { routingStep } from '../../../core/routing/tend-routing.ts';
import { createServices } from '../../../sim/services.ts';
import { typeSpec } from '../../../sim/type-spec.ts';
import { T0 } from '../../helpers/samples.ts';

/** From a message until the round that it causes has written: its queue, the window of its batch, what comes before it. */
const CONTROL_MS = 3_000;
/** What a quota may take. */
const EFFECT_MS = 10_000;
const MINUTE_MS = 60_000;

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Control's real steps, told as late as its queue may be, and environments of submit that remember, all in virtual time. */
function platform(type: Partial<TaskTypeSpec> = {}) {
  const clock = createMemoryClock(T0);
  const services = createServices({ clock, random: createMemoryRandom(1), types: [typeSpec('echo', { adaptive: false, ...type })] });
  const told: { readonly message: ControlMessage; readonly at: number }[] = [];
  const control = {
    tell: async (message: ControlMessage, delaySeconds = 0) => {
      told.push({ message, at: clock.now() + 1_000 * delaySeconds + CONTROL_MS });
      return true;
    },
  };
  /** Messages in the shared queues, by shard. */
  const depths = new Map<number, number>();
  const watch: typeof services.watch = {
    depths: async (queues) =>
      queues.map(({ priority, shard }) => ({
        visible: priority === 'normal' ? (depths.get(Number(shard)) ?? 0) : 0,
        inFlight: 0,
        delayed: 0,
      })),
    sample: async () => [],
  };
  const deps = { ...services, control, watch, commonBounds: {}, sensitiveTenants: () => sensitiveTenants(services.quotas) };
  const steps: readonly ControlStep[] = [divideStep(deps), admissionStep(deps), routingStep(deps)];

  /** @param each what happens once a second meanwhile */
  const pass = async (ms: number, each?: () => Promise<void>): Promise<void> => {
    for (const end = clock.now() + ms; clock.now() < end;) {
      clock.advance(1_000);
      const now = clock.now();
      const due = told.filter(({ at }) => at <= now);
      for (const each of due) told.splice(told.indexOf(each), 1);
      const minute = now % MINUTE_MS === 0;
      const round = { now, deadline: now + 110_000, told: due.map(({ message }) => message) };
      if (minute) await runRound(steps, { ...round, minute, told: [] }, services.telemetry);
      if (due.length > 0) await runRound(steps, { ...round, minute: false }, services.telemetry);
      await each?.();
      await settled();
    }
  };

  /** An environment of submit, whose reads are answered at once, but behind the back of whoever does not wait for them. */
  const environment = () => {
    const timer = { sleep: () => new Promise<void>(() => undefined) };
    const feed = createAdmissionFeed({ ...deps, timer });
    const admission = createAdmission({ ...deps, feed });
    return {
      /** @returns the codes that some are refused with */
      offer: async (count: number, tenant = 'a') => {
        await admission.ready(tenant, count);
        const { refused } = admission.admit(tenant, count);
        return refused.map(({ error }) => error.code);
      },
      refused: async (count: number, tenant = 'a') => {
        await admission.ready(tenant, count);
        return count - admission.admit(tenant, count).admitted;
      },
    };
  };
  const park = async (tenant: string, count: number, ageMs = 0): Promise<void> => {
    const at = clock.now() - ageMs;
    const lane = { tenant, type: 'echo' };
    const task = (): HintedTask => ({ id: 'x', uid: deps.random.ulid(at), seq: 0, at, made: at, type: 'echo', priority: 'normal' });
    await deps.backlog.put(lane, Array.from({ length: count }, task));
    await deps.backlog.register(lane, clock.now());
    await deps.permits.raise(lane, 0);
  };
  const shareOf = async (tenant: string): Promise<number | undefined> =>
    (await deps.permits.read({ tenant, type: 'echo' }, 0)).share?.share;
  const put = (quota: Quota, tenant = 'a') => putQuota(deps, tenant, quota);
  return { ...deps, deps, clock, depths, pass, environment, park, shareOf, put };
}

describe('a quota that is set takes effect within 10 s', () => {
  it('rate and burst, in an environment that is used all the time, and in one that was quiet for a minute', async () => {
    const { pass, environment, put } = platform();
    const [busy, quiet] = [environment(), environment()];
    expect(await quiet.refused(500)).toBe(0);
    let lately = 0;
    const use = async () => void (lately = await busy.refused(10));
    await pass(MINUTE_MS, use);
    expect(lately).toBe(0);
    await put({ rate: 1, burst: 1 });
    await pass(EFFECT_MS, use);
    expect(lately).toBeGreaterThanOrEqual(8);
    expect(await quiet.refused(500)).toBe(499);
  });

  it('rate and burst, of a tenant that sends much twice a minute', async () => {
    const { pass, environment, put } = platform();
    const one = environment();
    expect(await one.refused(500)).toBe(0);
    await pass(30_000);
    expect(await one.refused(500)).toBe(0);
    await pass(2_000);
    await put({ rate: 1, burst: 1 });
    await pass(28_000);
    expect(await one.refused(500)).toBe(499);
  });

  it('rate and burst, of a tenant that sends so little that nobody asks for its quota', async () => {
    const { pass, environment, put } = platform();
    const one = environment();
    let lately: readonly string[] = [];
    const use = async () => void (lately = [...lately, ...(await one.offer(2))]);
    await pass(MINUTE_MS, use);
    await put({ rate: 0.1, burst: 1 });
    await pass(EFFECT_MS - 1_000, use);
    lately = [];
    await pass(1_000, use);
    expect(lately).toEqual(['rate_limited']);
  });

  it.each<[Quota, string]>([
    [{ backlog: 50 }, 'backlog_full'],
    [{ maxAgeSeconds: 60 }, 'backlog_too_old'],
  ])('%j, also where nobody had such a bound, and a moment after a round of control', async (quota, code) => {
    const { pass, environment, put, park, deps } = platform();
    const [busy, quiet, other] = [environment(), environment(), environment()];
    await park('a', 60, 120_000);
    expect([await quiet.offer(1), await other.offer(1, 'b')]).toEqual([[], []]);
    let lately: readonly string[] = [];
    const use = async () => void (lately = await busy.offer(1));
    await pass(MINUTE_MS, use);
    // Somebody floods it, and a round of control has just written.
    await deps.admissions.putState({
      v: 1,
      at: deps.clock.now() + CONTROL_MS - 1_000,
      pressed: false,
      environments: 1,
      lanes: [],
      waiting: [],
    });
    await put(quota);
    await pass(EFFECT_MS, use);
    expect([lately, await quiet.offer(1), await other.offer(1, 'b')]).toEqual([[code], [code], []]);
    // And it is taken away as soon.
    await deleteQuota(deps, 'a');
    await pass(EFFECT_MS, use);
    expect([lately, await quiet.offer(1)]).toEqual([[], []]);
  });

  it('cap', async () => {
    const { pass, park, put, shareOf } = platform();
    await park('a', 30);
    await pass(MINUTE_MS);
    expect(await shareOf('a')).toBeUndefined();
    await put({ cap: 2 });
    await pass(EFFECT_MS);
    expect(await shareOf('a')).toBe(2);
    await put({ cap: 7 });
    await pass(EFFECT_MS);
    expect(await shareOf('a')).toBe(7);
  });

  it.each<[Quota, number]>([
    [{ weight: 2 }, 12],
    [{ guaranteed: 15 }, 15],
  ])('%j', async (quota, share) => {
    const { pass, park, put, shareOf } = platform({ capacity: 20 });
    await park('a', 30);
    await park('b', 30);
    await pass(2 * MINUTE_MS);
    expect([await shareOf('a'), await shareOf('b')]).toEqual([9, 9]);
    await put(quota);
    await pass(EFFECT_MS);
    expect([await shareOf('a'), await shareOf('b')]).toEqual([share, 18 - share]);
  });

  it('latencySensitive, in an environment that was quiet for a minute', async () => {
    const { deps, clock, depths, pass, put, random, telemetry } = platform();
    const own = shuffleShard('a', deps.routing.shards, deps.routing.shardsPerTenant);
    for (const shard of own) depths.set(shard, 5_000);
    await pass(MINUTE_MS);
    /** What lies in the table is read with the task types once, then as the map asks for it. */
    const atFirst = { document: await deps.routes.read(), readAt: clock.now() };
    const client = {
      send: async () => {
        const document = await deps.routes.read();
        return { Item: document && { v: 1, version: document.version, routing: JSON.stringify(document) } };
      },
    };
    const timer = { sleep: () => new Promise<void>(() => undefined) };
    const map = createRoutingMap(client as unknown as DynamoDBDocumentClient, {
      table: 'table',
      clock,
      timer,
      telemetry,
      types: { routing: () => atFirst },
    });
    const routed: (number | string)[] = [];
    const queue = {
      ...deps.queue,
      send: async (sends: Parameters<typeof deps.queue.send>[0]) => {
        routed.push(...sends.map((send) => send.queue.shard));
        return sends.map(() => true);
      },
    };
    const submit = async (): Promise<readonly (number | string)[]> => {
      routed.length = 0;
      await submitTasks({ ...deps, queue, routing: { ...deps.routing, map } }, 'a', [{ type: 'echo', id: random.ulid(0) }]);
      return [...routed];
    };
    expect(own).toContain((await submit())[0]);
    await pass(MINUTE_MS - EFFECT_MS - 5_000);
    await put({ latencySensitive: true });
    await pass(EFFECT_MS);
    const [shard] = await submit();
    expect(own).not.toContain(shard);
    await deleteQuota(deps, 'a');
    await pass(EFFECT_MS);
    expect(own).toContain((await submit())[0]);
  });
});
