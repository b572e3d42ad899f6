import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { conforming, MAX_WAIT_SECONDS, rateHere, refusalOf, retryAfterSeconds } from '../../core/admission/bounds.ts';
import { refusalsFor } from '../../core/admission/refuse.ts';
import { drainedOf, isPressureAsked, PRESSURE_RULES, pressureOf, targetOf } from '../../core/admission/pressure.ts';

const positive = (max: number) => fc.double({ min: 0.01, max, noNaN: true });

describe('refusal in proportion to the excess', () => {
  const offers = fc.array(fc.record({ offered: positive(10_000), weight: positive(10) }), { minLength: 1, maxLength: 40 });
  const named = offers.map((all) => all.map((offer, n) => ({ tenant: `t${n}`, ...offer })));

  it('admits the target, or says by how much it cannot', () => {
    fc.assert(
      fc.property(named, positive(50_000), positive(200_000), positive(50), (known, others, target, floor) => {
        const offered = others + known.reduce((sum, offer) => sum + offer.offered, 0);
        const { refusals, beyond } = refusalsFor(known, offered, target, floor);
        const partOf = new Map(refusals.map(({ tenant, part }) => [tenant, part]));
        const admitted = others + known.reduce((sum, offer) => sum + offer.offered * (1 - (partOf.get(offer.tenant) ?? 0)), 0);
        if (offered <= target) expect(refusals).toEqual([]);
        else expect(admitted).toBeCloseTo(target + beyond, 3);
        expect(refusals.every(({ part }) => part > 0 && part <= 1)).toBe(true);
      }),
    );
  });

  it('touches nobody below the level, and leaves everybody above it the same for its weight', () => {
    fc.assert(
      fc.property(named, positive(50_000), positive(50), (known, target, floor) => {
        const offered = known.reduce((sum, offer) => sum + offer.offered, 0);
        const { refusals, level } = refusalsFor(known, offered, target, floor);
        const partOf = new Map(refusals.map(({ tenant, part }) => [tenant, part]));
        for (const offer of known) {
          const part = partOf.get(offer.tenant);
          if (offer.offered / offer.weight <= level * (1 - 1e-9)) expect(part).toBeUndefined();
          if (part !== undefined) expect((offer.offered * (1 - part)) / offer.weight / level).toBeCloseTo(1, 6);
        }
      }),
    );
  });

  it('leaves the others as they are when one offers more', () => {
    fc.assert(
      fc.property(fc.array(positive(100), { minLength: 1, maxLength: 50 }), positive(1_000_000), (calm, flood) => {
        const known = calm.map((offered, n) => ({ tenant: `t${n}`, offered }));
        const room = 1.1 * calm.reduce((sum, offered) => sum + offered, 0) + 100;
        const all = [...known, { tenant: 'flood', offered: room + flood }];
        const offered = all.reduce((sum, offer) => sum + offer.offered, 0);
        const { refusals } = refusalsFor(all, offered, room, 0);
        expect(refusals.map(({ tenant }) => tenant)).toEqual(['flood']);
      }),
    );
  });
});

describe('a rate', () => {
  const arrivals = fc.array(fc.tuple(fc.nat(5_000), fc.integer({ min: 1, max: 600 })), { minLength: 1, maxLength: 60 });

  it('lets pass at most its burst and rate · t in any time t, and all that keep to it', () => {
    fc.assert(
      fc.property(arrivals, positive(1_000), fc.integer({ min: 1, max: 500 }), (all, rate, burst) => {
        let now = 1_000_000;
        let tat: number | undefined;
        const passed: { at: number; admitted: number }[] = [];
        for (const [after, wanted] of all) {
          now += after;
          const answer = conforming(tat, now, { rate, burst }, wanted);
          tat = answer.tat;
          passed.push({ at: now, admitted: answer.admitted });
          // Who is refused may come when it was told to.
          if (answer.admitted < wanted) {
            expect(conforming(tat, now + answer.waitMs + 1e-6, { rate, burst }, 1).admitted).toBe(1);
            if (answer.waitMs > 0.01) expect(conforming(tat, now + answer.waitMs - 0.01, { rate, burst }, 1).admitted).toBe(0);
          }
        }
        for (const [i, first] of passed.entries()) {
          let sum = 0;
          for (const { at, admitted } of passed.slice(i)) {
            sum += admitted;
            expect(sum).toBeLessThanOrEqual(burst + (rate * (at - first.at)) / 1000 + 1e-6);
          }
        }
      }),
    );
  });

  it('refuses nobody who keeps to it', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 60 }), positive(500), (batches, rate) => {
        let now = 0;
        let tat: number | undefined;
        for (const wanted of batches) {
          now += (1000 * wanted) / rate;
          const answer = conforming(tat, now, { rate, burst: 40 }, wanted);
          tat = answer.tat;
          expect(answer.admitted).toBe(wanted);
        }
      }),
    );
  });

  it('of all environments comes to the rate beyond it, and leaves room for each below it', () => {
    fc.assert(
      fc.property(fc.array(positive(100), { minLength: 1, maxLength: 100 }), positive(2_000), (here, rate) => {
        const merged = here.reduce((sum, each) => sum + each, 0);
        const shares = here.map((each) => rateHere(rate, each, merged));
        if (merged <= rate) for (const [i, share] of shares.entries()) expect(share).toBeGreaterThanOrEqual((here[i] ?? 0) - 1e-9);
        else expect(shares.reduce((sum, share) => sum + share, 0)).toBeLessThanOrEqual(rate * (1 + here.length / 100) + 1e-6);
      }),
    );
    expect(rateHere(10, 5, undefined)).toBe(10);
  });
});

describe('a backlog', () => {
  const waiting = fc.record({ tasks: fc.nat(20_000), oldestSeconds: fc.nat(7_200), drained: fc.nat(500), offered: fc.nat(5_000) });

  it('takes nothing beyond its bound, everything well below it, and never says nonsense', () => {
    fc.assert(
      fc.property(waiting, fc.integer({ min: 1, max: 10_000 }), (measured, backlog) => {
        const refusal = refusalOf(measured, { backlog });
        if (measured.tasks >= backlog) expect(refusal).toMatchObject({ code: 'backlog_full', part: 1 });
        if (measured.tasks < 0.9 * backlog) expect(refusal).toBeUndefined();
        if (!refusal) return;
        expect(refusal.part).toBeGreaterThan(0);
        expect(refusal.part).toBeLessThanOrEqual(1);
        expect(refusal.waitSeconds).toBeGreaterThan(0);
        expect(refusal.waitSeconds).toBeLessThanOrEqual(MAX_WAIT_SECONDS);
      }),
    );
  });

  it('comes to rest below its bound under a flood, and takes what starts', () => {
    const drained = 50;
    const offered = 2_000;
    let tasks = 0;
    let part = 0;
    const highest: number[] = [];
    for (let second = 0; second < 3_600; second++) {
      // Measured each ten seconds.
      if (second % 10 === 0) part = refusalOf({ tasks, oldestSeconds: 1, drained, offered }, { backlog: 10_000 })?.part ?? 0;
      tasks = Math.max(0, tasks + offered * (1 - part) - drained);
      if (second > 600) highest.push(tasks);
    }
    expect(Math.max(...highest)).toBeLessThanOrEqual(10_000);
    expect(Math.min(...highest)).toBeGreaterThanOrEqual(9_000);
  });

  it('is too old only beyond its bound', () => {
    fc.assert(
      fc.property(waiting, fc.integer({ min: 1, max: 3_600 }), (measured, maxAgeSeconds) => {
        const refusal = refusalOf(measured, { maxAgeSeconds });
        const old = measured.oldestSeconds > maxAgeSeconds && measured.tasks > 0;
        expect(refusal?.code).toBe(old ? 'backlog_too_old' : undefined);
      }),
    );
  });

  it('tells a whole number of seconds, from 1 to the most, and not the same to all', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e9, noNaN: true }), fc.double({ min: 0, max: 0.999, noNaN: true }), (seconds, fraction) => {
        const told = retryAfterSeconds(seconds, fraction);
        expect(Number.isInteger(told) && told >= 1 && told <= MAX_WAIT_SECONDS).toBe(true);
        if (seconds <= MAX_WAIT_SECONDS) expect(told).toBeGreaterThanOrEqual(seconds);
      }),
    );
    expect(retryAfterSeconds(100, 0)).not.toBe(retryAfterSeconds(100, 0.9));
  });
});

describe('pressure', () => {
  it('begins when hints wait too long, ends when they wait half of that, and is relieved in its time', () => {
    const drained = 100;
    expect(targetOf({ waiting: 30 * drained, drained, pressed: false })).toBeUndefined();
    expect(targetOf({ waiting: 30 * drained + 1, drained, pressed: false })).toBeLessThan(drained);
    expect(targetOf({ waiting: 16 * drained, drained, pressed: true })).toBeLessThan(drained);
    expect(targetOf({ waiting: 15 * drained, drained, pressed: true })).toBeUndefined();
    expect(targetOf({ waiting: 1e9, drained, pressed: true })).toBe(0.7 * drained);
    expect(targetOf({ waiting: 1e9, drained: undefined, pressed: false })).toBeUndefined();

    let waiting = 5_000;
    for (let second = 0; second < PRESSURE_RULES.relieveSeconds; second++) {
      waiting += (targetOf({ waiting, drained, pressed: true }) ?? drained) - drained;
    }
    expect(waiting).toBeLessThan(3_300);
  });

  it('is measured by what comes in less what the queues grow by', () => {
    expect(drainedOf(undefined, { at: 0, waiting: 10 }, 100)).toBeUndefined();
    expect(drainedOf({ at: 0, waiting: 0 }, { at: 10_000, waiting: 200 }, 100)).toBe(80);
    expect(drainedOf({ at: 0, waiting: 0, drained: 50 }, { at: 10_000, waiting: 200 }, 100)).toBe(62);
    expect(drainedOf({ at: 0, waiting: 0, drained: 50 }, { at: 0, waiting: 200 }, 100)).toBe(50);
    expect(drainedOf({ at: 0, waiting: 0 }, { at: 1_000, waiting: 1_000 }, 1)).toBe(0);
  });

  it('counts the queues in messages, and says in tasks what may be admitted', () => {
    const before = { depth: { at: 0, waiting: 3_000, drained: 90 }, pressed: false };
    // 100 messages a second of ten tasks each; 90 are worked off, and 3,100 wait: more than 30 s of that.
    const merged = { environments: 1, offered: 1_200, refused: 200, messages: 100 };
    const { depth, target } = pressureOf(before, merged, { at: 10_000, waiting: 3_100 });
    expect(depth).toEqual({ at: 10_000, waiting: 3_100, drained: 90 });
    expect(target).toBeCloseTo(10 * targetOf({ waiting: 3_100, drained: 90, pressed: false })!);
    expect(pressureOf(before, merged, { at: 10_000, waiting: 2_000 }).target).toBeUndefined();
  });

  it('is not measured where little is submitted, and what was measured stays', () => {
    expect(isPressureAsked(undefined, { environments: 0 })).toBe(false);
    expect(isPressureAsked({ pressed: true }, { environments: 0 })).toBe(true);
    expect(isPressureAsked({ pressed: false }, { environments: 1 })).toBe(true);
    const before = { depth: { at: 0, waiting: 9_000, drained: 90 }, pressed: true };
    expect(pressureOf(before, { offered: 0, refused: 0, messages: 0 }, undefined)).toEqual({ depth: before.depth, target: undefined });
  });
});
