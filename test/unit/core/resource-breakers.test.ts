import { resourceBreakerKey } from '@sluice/contracts';
import { describe, expect, it } from 'vitest';
import { newBreaker, onCrash } from '../../../core/breakers/decide.ts';
import { NO_EVIDENCE } from '../../../core/breakers/evidence.ts';
import { judge } from '../../../core/breakers/judge.ts';
import type { BreakerStore } from '../../../core/ports/breaker-store.ts';
import { createWorld, typeSpec } from '../../helpers/world.ts';
import { T0 } from '../../helpers/samples.ts';

const DB = resourceBreakerKey('db');
const MINUTE = 60_000;

function exit(): never {
  throw Object.assign(new Error('RequestId: 7 Error: Task timed out after 3.00 seconds'), { name: 'Sandbox.Timedout', stack: undefined });
}

/** Three types that draw on one resource and one that does not, of which some crash whenever they run. */
function platform(...broken: string[]) {
  const crashes = new Set(broken);
  const starts: { at: number; type: string; canary: string | undefined }[] = [];
  const drawing = { resources: ['db'], retry: { maxAttempts: 5, minDelaySeconds: 1, maxDelaySeconds: 4, factor: 2 } };
  const handler = ({ sluice: { type = '', canary } }: { sluice: { type?: string; canary?: { breaker: string } | undefined } }) => {
    starts.push({ at: world.clock.now(), type, canary: canary?.breaker });
    if (crashes.has(type)) exit();
    return null;
  };
  const names = ['a', 'b', 'c', 'other'];
  const world = createWorld({
    types: [...['a', 'b', 'c'].map((type) => typeSpec(type, drawing)), typeSpec('other')],
    handlers: Object.fromEntries(names.map((type) => [type, handler])),
  });
  return {
    world,
    starts,
    crashes,
    /** Every lane has its share of the resource. */
    ready: async (tenant: string) => {
      await world.types.putResource({ v: 1, resource: 'db', concurrency: 100 });
      for (const type of ['a', 'b', 'c']) await world.deps.permits.setShare({ tenant, type }, 0, { version: 1, share: 10, cells: 1 });
    },
    submit: (tenant: string, type: string, n: number) =>
      world.submit(tenant, ...Array.from({ length: n }, (_, i) => ({ type, id: `${type}-${i}` }))),
    pump: async () => {
      while (await world.pump());
    },
    state: async (key: string) => (await world.breakersOf.read(key))?.state ?? 'closed',
    rows: (type: string) => world.tasks.rows().filter((row) => row.type === type),
  };
}

describe('the breaker of a resource', () => {
  it('opens when tasks of several types crash, and holds all that draw on it, no others; mended, all succeed', async () => {
    const { world, starts, crashes, ready, submit, pump, state, rows } = platform('a', 'b', 'c');
    await ready('acme');
    await submit('acme', 'a', 2);
    await submit('acme', 'b', 2);
    await pump();
    expect(await state(DB)).toBe('open');
    expect([await state('type:a'), await state('type:b')]).toEqual(['closed', 'closed']);

    await submit('acme', 'c', 5);
    await submit('acme', 'other', 1);
    await pump();
    // Not one of its attempts was burnt to find out.
    expect(starts.filter(({ type }) => type === 'c')).toEqual([]);
    expect(rows('other')).toMatchObject([{ state: 'succeeded' }]);
    expect(await world.deps.backlog.first({ tenant: 'acme', type: 'c' }, 10)).toHaveLength(5);

    await world.run(5 * MINUTE);
    const probes = starts.filter(({ canary }) => canary !== undefined);
    expect(probes.length).toBeGreaterThan(1);
    expect(new Set(probes.map(({ canary }) => canary))).toEqual(new Set([DB]));
    // Those of the types whose probe crashed let others go before them.
    expect(new Set(probes.map(({ type }) => type)).size).toBeGreaterThan(1);

    crashes.clear();
    await world.run(30 * MINUTE);
    for (const row of world.tasks.rows()) expect(row).toMatchObject({ state: 'succeeded', lost: 0 });
    // Two at the most were counted before it was sure.
    expect(world.tasks.rows().reduce((sum, { attempts }) => sum + attempts, 0)).toBeLessThanOrEqual(world.tasks.rows().length + 2);
    expect(world.telemetry.total('breaker.excused', 'a') + world.telemetry.total('breaker.excused', 'b')).toBeGreaterThan(0);
  });

  it('stays closed where one type alone crashes, whose own breaker opens: the others are not held', async () => {
    const { world, ready, submit, pump, state, rows } = platform('a');
    await ready('acme');
    await submit('acme', 'a', 6);
    await pump();
    expect([await state(DB), await state('type:a')]).toEqual(['closed', 'open']);
    await submit('acme', 'b', 3);
    await pump();
    expect(rows('b').map((row) => row.state)).toEqual(['succeeded', 'succeeded', 'succeeded']);
    expect(world.telemetry.total('breaker.held', 'b')).toBe(0);
  });

  it('stays closed where attempts of another type are well meanwhile', async () => {
    const { world, ready, submit, pump, state } = platform('a', 'b');
    await ready('acme');
    await submit('acme', 'c', 8);
    await submit('acme', 'a', 2);
    await submit('acme', 'b', 2);
    await pump();
    await world.run(MINUTE);
    expect(await state(DB)).toBe('closed');
  });

  it('closes though one of its types goes on crashing: that one is left to its own breaker', async () => {
    const { world, crashes, ready, submit, pump, state, rows } = platform('a', 'b');
    await ready('acme');
    await submit('acme', 'a', 8);
    await submit('acme', 'b', 40);
    await pump();
    expect(await state(DB)).toBe('open');
    crashes.delete('b');
    await world.run(60 * MINUTE);
    expect([await state(DB), await state('type:a')]).toEqual(['closed', 'open']);
    expect(rows('b').every((row) => row.state === 'succeeded')).toBe(true);
    // It is all of them: none is quarantined.
    expect(rows('a').every((row) => row.state === 'waiting')).toBe(true);
    crashes.clear();
    await world.run(60 * MINUTE);
    expect(rows('a').every((row) => row.state === 'succeeded')).toBe(true);
  });

  it('costs no call on the way of a task', async () => {
    const { world, ready, submit } = platform();
    await ready('acme');
    const calls: string[] = [];
    const breakers: BreakerStore | undefined = world.deps.breakers;
    const watched: BreakerStore = {
      known: (key) => breakers.known(key),
      notClosed: () => breakers.notClosed(),
      read: async (key) => void calls.push(`read ${key}`),
      write: async (breaker) => {
        calls.push(`write ${breaker.key}`);
        return { applied: true, breaker };
      },
    };
    await submit('acme', 'a', 5);
    await world.run(MINUTE, { ...world.deps, breakers: watched });
    expect(world.tasks.rows().every((row) => row.state === 'succeeded')).toBe(true);
    expect(calls).toEqual([]);
  });
});

describe('what crashes say of a resource', () => {
  const crash = (n: number, type: string) => ({ at: T0 + n, seen: T0 + n, tenant: 'acme', uid: `01KDVDNA00F2CR961DJS96NHR${n}`, type });

  it('is nothing while they are of one type, and an outage when they are of two', () => {
    const one = { ...NO_EVIDENCE, crashes: [crash(1, 'a'), crash(2, 'a'), crash(3, 'a')] };
    expect(judge(one, T0 + 10_000, 'resource').is).toBe('poison');
    expect(judge(one, T0 + 10_000).is).toBe('outage');
    const two = { ...one, crashes: [...one.crashes, crash(4, 'b')] };
    expect(judge(two, T0 + 10_000, 'resource').is).toBe('outage');
  });

  it('is kept with the type of each, which the breaker of a type has no need of', () => {
    const told = { ...crash(1, 'a'), first: true, also: NO_EVIDENCE };
    expect(onCrash(newBreaker(DB, T0), told, T0 + 1).next?.evidence.crashes).toEqual([crash(1, 'a')]);
    expect(onCrash(newBreaker('type:a', T0), told, T0 + 1).next?.evidence.crashes[0]).not.toHaveProperty('type');
  });
});
