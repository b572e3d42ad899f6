import { breakerSchema } from '@sluice/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { newBreaker, onCrash } from '../../../core/breakers/decide.ts';
import { addAlive, addCrash, createSightings, merged, NO_EVIDENCE } from '../../../core/breakers/evidence.ts';
import { judge } from '../../../core/breakers/judge.ts';
import { judgePattern, patternOf } from '../../helpers/crash-patterns.ts';
import { createMemoryRandom } from '../../../adapters/memory/index.ts';
import { T0 } from '../../helpers/samples.ts';

const SECOND = 1_000;
const MINUTE = 60_000;
const HOUR = 3_600_000;
const always = () => true;
const fifth = (n: number) => n === 5;

describe('it is poison', () => {
  it.each([
    ['one task among healthy ones at a low rate', patternOf({ tenant: 'a', every: 2 * MINUTE, until: HOUR, crashes: fifth })],
    ['one task among healthy ones at a high rate', patternOf({ tenant: 'a', every: 10, until: 30 * SECOND, crashes: fifth })],
    ['a quiet type with a single task', patternOf({ tenant: 'a', every: MINUTE, until: 1, crashes: always })],
    [
      'two tenants with nothing but poison beside one that is healthy',
      patternOf(
        { tenant: 'a', every: 500, until: MINUTE, crashes: always },
        { tenant: 'b', every: 700, until: MINUTE, crashes: always },
        { tenant: 'c', every: 300, until: MINUTE },
      ),
    ],
    [
      'two tenants with more poison than another has tasks',
      patternOf(
        { tenant: 'a', every: 100, until: MINUTE, crashes: always, offset: 5_000 },
        { tenant: 'b', every: 100, until: MINUTE, crashes: always, offset: 5_000 },
        { tenant: 'c', every: 1_000, until: MINUTE },
      ),
    ],
    ['one in fifty at a high rate', patternOf({ tenant: 'a', every: 20, until: MINUTE, crashes: (n) => n % 50 === 7 })],
    [
      'a time-out now and then among long tasks',
      patternOf({ tenant: 'a', every: 400, until: 5 * MINUTE, runs: 8_000, crashRuns: 30_000, crashes: (n) => n % 20 === 3 }),
    ],
  ])('%s', (_, pattern) => {
    const { openedAt, counted } = judgePattern(pattern);
    expect(openedAt).toBeUndefined();
    expect(counted.size).toBeGreaterThan(0);
    // They have had their three.
    expect(Math.max(...counted.values())).toBe(3);
  });
});

describe('it is an outage', () => {
  it.each([
    [
      'a bad deploy where every attempt fails at its start',
      patternOf({ tenant: 'a', every: 300, until: MINUTE, crashes: always }),
      SECOND,
      2,
    ],
    [
      'one that begins in the middle, of many tenants',
      patternOf(
        ...['a', 'b', 'c', 'd'].map((tenant, i) => ({
          tenant,
          every: 200,
          until: 2 * MINUTE,
          offset: 50 * i,
          crashes: (_: number, at: number) => at > MINUTE,
        })),
      ),
      MINUTE + 5 * SECOND,
      12,
    ],
    [
      'one that begins while long attempts are under way, and end well',
      patternOf({ tenant: 'a', every: 500, until: 3 * MINUTE, runs: 20_000, crashes: (_, at) => at > MINUTE }),
      MINUTE + 45 * SECOND,
      12,
    ],
    [
      'one in which one attempt in ten still ends well',
      patternOf({ tenant: 'a', every: 50, until: 3 * MINUTE, crashes: (n, at) => at > MINUTE && n % 10 !== 0 }),
      MINUTE + 10 * SECOND,
      250,
    ],
    [
      'time-outs of everything',
      patternOf({ tenant: 'a', every: 500, until: 3 * MINUTE, crashRuns: 10_000, crashes: (_, at) => at > MINUTE }),
      MINUTE + 16 * SECOND,
      12,
    ],
  ])('%s', (_, pattern, by, counts) => {
    const { openedAt, counted } = judgePattern(pattern);
    expect(openedAt).toBeLessThanOrEqual(by);
    expect([...counted.values()].reduce((a, b) => a + b, 0)).toBeLessThanOrEqual(counts);
    // Nobody has had its third: nothing is quarantined for it.
    expect([...counted.values()].every((n) => n < 3)).toBe(true);
  });

  it('also of a quiet type: the third task that crashes is not counted', () => {
    const { openedAt, counted } = judgePattern(patternOf({ tenant: 'a', every: 5 * MINUTE, until: HOUR, crashes: always }));
    expect(openedAt).toBe(10 * MINUTE + 50);
    expect([...counted]).toEqual([
      ['a-0', 3],
      ['a-1', 3],
    ]);
  });

  it('each time that a type flaps, and never while it is well', () => {
    const well = (at: number) => Math.floor(at / MINUTE) % 2 === 0;
    const streams = (from: number, until: number) =>
      patternOf({ tenant: 'a', every: 250, until, crashes: (_, at) => !well(at) }).filter((attempt) => attempt.from >= from);
    for (const minute of [0, 2, 4]) {
      const { openedAt } = judgePattern(streams(minute * MINUTE, (minute + 2) * MINUTE));
      expect(openedAt).toBeGreaterThan((minute + 1) * MINUTE);
      expect(openedAt).toBeLessThan((minute + 1) * MINUTE + 10 * SECOND);
    }
  });
});

describe('what it looks like before it is sure', () => {
  it('is neither: nothing is counted until those that do not crash would have been heard of', () => {
    let evidence = addAlive(NO_EVIDENCE, 'a', T0 - 10_000, T0 - 5_000);
    for (const n of [0, 1, 2])
      evidence = addCrash(evidence, { at: T0 + n, seen: T0 + 10 + n, tenant: 'a', uid: createMemoryRandom(n).ulid(T0) });
    expect(judge(evidence, T0 + 1_000)).toEqual({ is: 'unsure', until: T0 + 10_010 });
    expect(judge(evidence, T0 + 10_010)).toEqual({ is: 'outage' });
    expect(judge(addAlive(evidence, 'a', T0 + 100, T0 + 9_000), T0 + 10_010)).toEqual({ is: 'poison' });
  });

  it('is forgotten after an hour', () => {
    let evidence = NO_EVIDENCE;
    for (const n of [0, 1, 2]) evidence = addCrash(evidence, { at: T0, seen: T0, tenant: 'a', uid: createMemoryRandom(n).ulid(T0) });
    expect(judge(evidence, T0 + HOUR).is).toBe('outage');
    expect(judge(evidence, T0 + HOUR + 1).is).toBe('poison');
  });
});

describe('evidence', () => {
  it('is bounded, and fits one write unit or three, whatever happens', () => {
    const random = createMemoryRandom(3);
    let breaker = newBreaker('type:a', T0);
    const sightings = createSightings();
    for (let n = 0; n < 2_000; n++) {
      const now = T0 + n * 1_000;
      for (let k = 0; k < 4; k++) sightings.alive('type:a', `tenant-${(n + k) % 300}`, now, now + 500);
      const crash = { at: now, seen: now, tenant: `tenant-${n % 300}`, uid: random.ulid(now), first: true, also: sightings.take('type:a') };
      breaker = onCrash(breaker, crash, now).next ?? breaker;
    }
    expect(JSON.stringify(breaker).length).toBeLessThan(4_096);
    expect(breakerSchema.parse(breaker)).toEqual(breaker);
  });

  it('of two observers is the same in either order, and of one attempt told twice the same as of once', () => {
    const crash = fc.record({
      at: fc.nat(1e6),
      seen: fc.nat(1e6),
      tenant: fc.constantFrom('a', 'b'),
      uid: fc.constant(createMemoryRandom(1).ulid(T0)),
    });
    const alive = fc.array(fc.record({ tenant: fc.constantFrom('a', 'b', 'c'), at: fc.nat(50_000), ms: fc.nat(1_000) }), { maxLength: 20 });
    const seen = (list: { tenant: string; at: number; ms: number }[]) =>
      list.reduce((e, { tenant, at, ms }) => addAlive(e, tenant, at, at + ms), NO_EVIDENCE);
    fc.assert(
      fc.property(alive, alive, crash, (a, b, c) => {
        const [ab, ba] = [merged(seen(a), seen(b)), merged(seen(b), seen(a))];
        expect(ab.alive).toEqual(ba.alive);
        expect(new Map(ab.tenants)).toEqual(new Map(ba.tenants));
        expect(addCrash(addCrash(ab, c), c)).toEqual(addCrash(ab, c));
      }),
    );
  });

  it('that could not be told is not lost', () => {
    const sightings = createSightings();
    sightings.alive('type:a', 'a', T0, T0 + 1);
    const taken = sightings.take('type:a');
    sightings.alive('type:a', 'a', T0, T0 + 1);
    sightings.putBack('type:a', taken);
    expect(sightings.take('type:a').alive).toEqual([[T0 / 1000, 2]]);
    expect(sightings.take('type:a')).toEqual(NO_EVIDENCE);
  });
});
