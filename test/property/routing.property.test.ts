import fc from 'fast-check';
import { PRIORITIES, routingDocumentSchema, type RoutingDocument } from '@sluice/contracts';
import { describe, expect, it } from 'vitest';
import { chooseQueue } from '../../core/routing/choose.ts';
import { nextDocument, NO_ROUTING } from '../../core/routing/next-document.ts';
import type { Observation, QueueDepth } from '../../core/routing/observe.ts';
import { DEFAULT_ROUTING_SETTINGS } from '../../core/routing/settings.ts';
import { chanceOfSharing, combinations, expectedSharing, sharingWith } from '../../core/routing/sharing.ts';
import { rendezvousOrder, shuffleShard } from '../../core/routing/shuffle-shard.ts';
import { T0 } from '../helpers/samples.ts';

describe('rendezvous hashing', () => {
  it.each([
    [8, 2],
    [20, 2],
    [32, 3],
  ])('moves no more than (1 + ε)/N of the places of 100,000 tenants when %i queues get one more', (n, k) => {
    const tenants = 100_000;
    let moved = 0;
    for (let i = 0; i < tenants; i++) {
      const before = new Set(shuffleShard(`tenant-${i}`, n, k));
      moved += shuffleShard(`tenant-${i}`, n + 1, k).filter((shard) => !before.has(shard)).length;
    }
    const fair = 1 / (n + 1);
    // Five standard deviations of as many fair draws.
    const epsilon = 5 * Math.sqrt((fair * (1 - fair)) / (tenants * k));
    expect(moved / (tenants * k)).toBeLessThan(fair + epsilon);
    expect(moved / (tenants * k)).toBeGreaterThan(fair - epsilon);
  });

  it('is an order of all queues, which the shuffle shard begins', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.integer({ min: 1, max: 64 }), fc.integer({ min: 1, max: 8 }), (tenant, n, k) => {
        const order = rendezvousOrder(tenant, n);
        expect(order.toSorted((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i));
        expect(shuffleShard(tenant, n, k)).toEqual(order.slice(0, k));
      }),
    );
  });
});

describe('what tenants share', () => {
  it('C(N, k) is exact: 4,950 shuffle shards of two of a hundred queues, so that 0.02 % share both', () => {
    expect(combinations(100, 2)).toBe(4_950);
    expect((100 * chanceOfSharing(100, 2, 2)).toFixed(2)).toBe('0.02');
    expect([combinations(8, 2), combinations(64, 10), combinations(5, 5), combinations(7, 0)]).toEqual([28, 151_473_214_816, 1, 1]);
  });

  it("follows Pascal's rule, and the chances of all numbers of common queues are one", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 40 }), fc.integer({ min: 1, max: 10 }), (n, some) => {
        const k = Math.min(some, n - 1);
        expect(combinations(n, k)).toBe(combinations(n - 1, k) + combinations(n - 1, k - 1));
        expect(chanceOfSharing(n, k, 0)).toBeCloseTo(1, 9);
        expect(chanceOfSharing(n, k, k)).toBeCloseTo(1 / combinations(n, k), 12);
      }),
    );
  });

  it('the exact count over known tenants agrees with the formula within chance', () => {
    const others = Array.from({ length: 50_000 }, (_, i) => `t${i}`);
    const counts = sharingWith('acme', others, 20, 2);
    expect(counts.reduce((sum, n) => sum + n, 0)).toBe(50_000);
    const expected = expectedSharing(50_001, 20, 2);
    expect(Math.abs((counts[2] ?? 0) - expected)).toBeLessThan(5 * Math.sqrt(expected));
    expect(sharingWith('acme', ['acme', 'acme'], 20, 2)).toEqual([0, 0, 0]);
  });
});

describe('the choice within a shuffle shard', () => {
  it('is one of the queues, whatever the readings are', () => {
    const depth = fc.record({ shard: fc.nat(63), depth: fc.nat(1_000_000), sent: fc.nat(100_000) });
    fc.assert(
      fc.property(
        fc.array(depth, { minLength: 1, maxLength: 8 }),
        fc.integer({ min: -5_000, max: 200_000 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (candidates, age, fraction) => {
          expect(candidates.map((c) => c.shard)).toContain(chooseQueue(candidates, age, fraction));
        },
      ),
    );
  });

  it('prefers the shorter one, takes near-equals by chance, and old readings for nothing', () => {
    const partOfSecond = (first: number, second: number, ageMs: number, sent = 0): number => {
      const candidates = [
        { shard: 0, depth: first, sent: 0 },
        { shard: 1, depth: second, sent },
      ];
      return Array.from({ length: 1_000 }, (_, i) => chooseQueue(candidates, ageMs, i / 1_000)).filter((s) => s === 1).length / 1_000;
    };
    expect(partOfSecond(1_000, 50, 0)).toBeGreaterThan(0.99);
    expect(partOfSecond(3, 0, 0)).toBeLessThan(0.65);
    expect(partOfSecond(1_000, 50, 90_000)).toBe(0.5);
    // Its own sends have made them equal.
    expect(partOfSecond(1_000, 50, 0, 950)).toBe(0.5);
  });

  it('herds less than whoever takes the queue that was the shortest, and balances better than chance', () => {
    const strict = imbalance((depths) => depths.indexOf(Math.min(...depths)));
    const ours = imbalance((depths, sent, age, fraction) =>
      chooseQueue(
        depths.map((depth, shard) => ({ shard, depth, sent: sent[shard] ?? 0 })),
        age,
        fraction,
      ),
    );
    const chance = imbalance((_depths, _sent, _age, fraction) => Math.floor(2 * fraction));
    expect(ours).toBeLessThan(0.5 * strict);
    expect(ours).toBeLessThan(0.5 * chance);
  });
});

/**
 * Mean difference of two queues, one of which begins with 2,000 messages, that 20 environments send 25 messages a second
 * to and that work off 13 a second each, by readings that are made anew every 20 s.
 */
function imbalance(
  choose: (depths: number[], sent: number[], ageMs: number, fraction: number) => number | undefined,
  environments = 20,
): number {
  let seed = 1;
  const fraction = (): number => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
  const depths = [2_000, 0];
  let sum = 0;
  const seconds = 1_200;
  let reading = [...depths];
  let sent: number[][] = [];
  for (let second = 0; second < seconds; second++) {
    if (second % 20 === 0) {
      reading = [...depths];
      sent = Array.from({ length: environments }, () => [0, 0]);
    }
    for (let message = 0; message < 25; message++) {
      const own = sent[Math.floor(fraction() * environments)] ?? [];
      const shard = choose(reading, own, (second % 20) * 1_000, fraction()) ?? 0;
      own[shard] = (own[shard] ?? 0) + 1;
      depths[shard] = (depths[shard] ?? 0) + 1;
    }
    for (const shard of [0, 1]) depths[shard] = Math.max(0, (depths[shard] ?? 0) - 13);
    sum += Math.abs((depths[0] ?? 0) - (depths[1] ?? 0));
  }
  return sum / seconds;
}

describe('the routing document', () => {
  const POOL = { shards: 4, shardsPerTenant: 2 };
  const SETTINGS = { ...DEFAULT_ROUTING_SETTINGS, maxDedicated: 2, maxMoved: 3 };
  const depth = fc.record<QueueDepth>({
    visible: fc.oneof(fc.constant(0), fc.nat(40), fc.integer({ min: 500, max: 5_000 })),
    inFlight: fc.oneof(fc.constant(0), fc.nat(100)),
    delayed: fc.oneof(fc.constant(0), fc.nat(10)),
  });
  const round = fc.record({
    afterMs: fc.oneof(fc.constant(60_000), fc.integer({ min: 0, max: 1_500_000 })),
    queues: fc.array(depth, { minLength: 4, maxLength: 4 }),
    hot: fc.subarray(['a', 'b', 'c', 'd']),
    own: depth,
    ready: fc.boolean(),
    gone: fc.boolean(),
    read: fc.boolean(),
    sensitive: fc.subarray(['e', 'f', 'a', 'g', 'h']),
  });

  it('holds its bounds and its order of states, whatever is seen', () => {
    fc.assert(
      fc.property(fc.array(round, { minLength: 1, maxLength: 60 }), (rounds) => {
        let now = T0;
        let document: RoutingDocument = NO_ROUTING;
        const drainedFrom = new Map<number, number>();
        const made: number[] = [];
        for (const each of rounds) {
          now += each.afterMs;
          const observed: Observation = {
            shared: { high: each.queues, normal: each.queues, low: [] },
            busy: each.queues.flatMap(({ visible }, shard) =>
              visible < 500
                ? []
                : [{ priority: 'normal' as const, shard, visible, seen: 30, byTenant: new Map(each.hot.map((t) => [t, 10])) }],
            ),
            dedicated: new Map(
              document.dedicated.map(({ generation }) => [
                generation,
                { ready: each.ready, gone: each.gone, ...(each.read && { depth: each.own }) },
              ]),
            ),
            sensitive: each.sensitive,
          };
          const next = nextDocument(document, observed, POOL, SETTINGS, now);
          expect(routingDocumentSchema.parse(next)).toEqual(next);
          expect(next.dedicated.length).toBeLessThanOrEqual(2);
          expect(next.moved.length).toBeLessThanOrEqual(3);
          expect(new Set(next.dedicated.map((d) => d.tenant)).size).toBe(next.dedicated.length);
          for (const entry of next.dedicated) {
            const old = document.dedicated.find(({ generation }) => generation === entry.generation);
            if (!old) {
              expect(entry.state).toBe('creating');
              expect(made).not.toContain(entry.generation);
              made.push(entry.generation);
            } else if (old.state !== entry.state) {
              expect([
                ['creating', 'active'],
                ['creating', 'closing'],
                ['active', 'draining'],
                ['draining', 'active'],
                ['draining', 'closing'],
              ]).toContainEqual([old.state, entry.state]);
              if (entry.state === 'draining') drainedFrom.set(entry.generation, now);
              if (old.state === 'draining' && entry.state === 'closing') {
                expect(now - (drainedFrom.get(entry.generation) ?? now)).toBeGreaterThanOrEqual(SETTINGS.drainMs);
                expect(each.own).toEqual({ visible: 0, inFlight: 0, delayed: 0 });
              }
            }
          }
          for (const old of document.dedicated) {
            if (!next.dedicated.some(({ generation }) => generation === old.generation)) expect(old.state).toBe('closing');
          }
          for (const move of next.moved) {
            expect(each.sensitive).toContain(move.tenant);
            expect(move.shards.length).toBeLessThanOrEqual(POOL.shardsPerTenant);
            for (const shard of move.shards) expect(each.queues[shard]?.visible).toBeLessThan(500);
          }
          expect(next === document || next.version === document.version + 1).toBe(true);
          expect(PRIORITIES.every((p) => next.depths === undefined || next.depths[p].length === 4)).toBe(true);
          document = next;
        }
      }),
      { numRuns: 300 },
    );
  });
});
