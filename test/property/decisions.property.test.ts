import { OUTCOME_CLASSES, TASK_STATES, type HintedTask, type Outcome, type TaskRow } from '@sluice/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decideBlind, decideHint } from '../../core/hints/decide.ts';
import { armedInTime, homeFor, minuteOf } from '../../core/hints/timing.ts';
import { cellLimits, PERMITS_PER_CELL } from '../../core/permits/cells.ts';
import { backoffMs } from '../../core/retry/backoff.ts';
import { shuffleShard } from '../../core/routing/shuffle-shard.ts';
import { settle, type SettleInput } from '../../core/settle/decide.ts';
import { hintOf, isTerminal } from '../../core/tasks/state.ts';
import { hintedTask, OTHER_UID, outcomeSample, rowOf, runOf, T0, UID } from '../helpers/samples.ts';
import { typeSpec } from '../helpers/world.ts';

const small = fc.integer({ min: 0, max: 5 });
const near = fc.integer({ min: T0 - 200_000, max: T0 + 200_000 });
const uid = fc.constantFrom(UID, OTHER_UID);
const fraction = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

const row: fc.Arbitrary<TaskRow> = fc
  .record({
    uid,
    seq: small,
    fence: small,
    state: fc.constantFrom(...TASK_STATES),
    at: near,
    attempts: small,
    lost: fc.integer({ min: 0, max: 2 }),
    throttled: small,
  })
  .chain((base) =>
    fc
      .record({
        hint: small,
        leaseEnd: near,
        expiresAt: fc.option(near, { nil: undefined }),
        endedBy: fc.constantFrom('record' as const, 'hint' as const),
        claimed: fc.boolean(),
      })
      .map(({ hint, leaseEnd, expiresAt, endedBy, claimed }) =>
        rowOf({
          ...base,
          ...((claimed || base.state === 'running') && { run: runOf({ hint: Math.min(hint, base.seq), leaseEnd }), firstClaimAt: T0 }),
          ...(expiresAt !== undefined && { expiresAt }),
          ...(isTerminal(base.state) && { endedBy }),
        }),
      ),
  );

const hint: fc.Arbitrary<HintedTask> = fc
  .record({ uid, seq: small, at: near, made: near, lease: fc.boolean() })
  .map(({ lease, ...rest }) => hintedTask({ ...rest, ...(lease && { lease }) }));

const outcome: fc.Arbitrary<Outcome> = fc
  .record({
    uid,
    fence: fc.integer({ min: 1, max: 5 }),
    class: fc.constantFrom(...OUTCOME_CLASSES),
    attempt: fc.integer({ min: 1, max: 6 }),
    retryAfterMs: fc.option(fc.nat(1e6), { nil: undefined }),
  })
  .map(({ retryAfterMs, ...rest }) => outcomeSample({ ...rest, ...(retryAfterMs !== undefined && { retryAfterMs }) }));

const input: fc.Arbitrary<SettleInput> = fc.record({
  row: fc.option(row, { nil: undefined }),
  outcome,
  by: fc.constantFrom('record' as const, 'hint' as const),
  spec: fc.constantFrom(
    typeSpec('echo'),
    typeSpec('echo', { retry: { maxAttempts: 2, minDelaySeconds: 0, maxDelaySeconds: 5, factor: 3, maxAgeSeconds: 60 } }),
    undefined,
  ),
  now: near,
  fraction,
});

describe('decideHint', () => {
  it('claims only a waiting row of its generation and seq, at its time or later', () => {
    fc.assert(
      fc.property(row, hint, near, (r, h, now) => {
        if (decideHint(r, h, now).do !== 'claim') return;
        expect(r).toMatchObject({ state: 'waiting', uid: h.uid, seq: h.seq });
        expect(r.at).toBeLessThanOrEqual(now);
        // What has started may be tried again past its time.
        if (r.attempts + r.lost === 0) expect(r.expiresAt ?? Infinity).toBeGreaterThan(now);
      }),
    );
  });

  it('never decides anything about a row of another generation', () => {
    fc.assert(
      fc.property(row, hint, near, (r, h, now) => {
        const decision = decideHint({ ...r, uid: UID }, { ...h, uid: OTHER_UID }, now);
        expect(decision).toEqual(now - h.made > 60_000 ? { do: 'drop', why: 'orphan' } : { do: 'look-again' });
      }),
    );
  });

  it('never drops the hint that a row has now', () => {
    fc.assert(
      fc.property(row, near, (r, now) => {
        if (isTerminal(r.state)) return;
        expect(decideHint(r, hintOf(r, now), now)).not.toMatchObject({ do: expect.stringMatching('drop|give-back|look-again') });
      }),
    );
  });

  it('finds a lease over only once it is, and only for a running row', () => {
    fc.assert(
      fc.property(row, hint, near, (r, h, now) => {
        if (decideHint(r, h, now).do !== 'lost') return;
        expect(r.state).toBe('running');
        expect(r.run?.leaseEnd).toBeLessThanOrEqual(now);
      }),
    );
  });

  it('agrees with the blind decision wherever the row is as the hint says', () => {
    fc.assert(
      fc.property(row, near, (r, now) => {
        if (r.state !== 'waiting') return;
        const h = hintOf(r, now);
        const blind = decideBlind(h, now);
        if (blind) expect(decideHint(r, h, now)).toEqual(blind);
      }),
    );
  });
});

describe('settle', () => {
  it('changes nothing of another generation, another fence, or after the end', () => {
    fc.assert(
      fc.property(input, (given) => {
        const { row: r, outcome: o } = given;
        if (r && r.uid === o.uid && r.fence === o.fence && !isTerminal(r.state)) return;
        expect(settle(given)).not.toHaveProperty('change');
      }),
    );
  });

  it('never raises attempts, and never ends a task, for what is free of charge', () => {
    fc.assert(
      fc.property(input, (given) => {
        const decision = settle(given);
        const cls = given.outcome.class;
        if (!given.row || !('change' in decision) || cls === 'succeeded' || cls === 'retryable' || cls === 'fatal') return;
        if (cls === 'crashed') return;
        expect(decision.change.set.attempts ?? given.row.attempts).toBe(given.row.attempts);
        if (cls === 'lost') expect((decision.change.set.lost ?? 0) - given.row.lost).toBe(1);
        else if (cls === 'impossible') expect(decision.do).toBe('end');
        else expect(decision.do).toBe('again');
      }),
    );
  });

  it('raises attempts by one at most, and never lowers a count', () => {
    fc.assert(
      fc.property(input, (given) => {
        const decision = settle(given);
        if (!given.row || !('change' in decision)) return;
        // An attempt knows how many were counted when it was claimed; no more than one can be its own.
        if (given.outcome.attempt > given.row.attempts + 1) return;
        const { set } = decision.change;
        expect([0, 1]).toContain((set.attempts ?? given.row.attempts) - given.row.attempts);
        expect(set.lost ?? given.row.lost).toBeGreaterThanOrEqual(given.row.lost);
        expect(set.throttled ?? given.row.throttled).toBeGreaterThanOrEqual(given.row.throttled);
      }),
    );
  });

  it('has its task wait for the time that it decided, never in the past', () => {
    fc.assert(
      fc.property(input, (given) => {
        const decision = settle(given);
        if (decision.do !== 'again') return;
        expect(decision.change.set).toMatchObject({ state: 'waiting', at: decision.at });
        expect(decision.at).toBeGreaterThanOrEqual(given.now);
      }),
    );
  });

  it('decides the same of an outcome that is settled twice as of one that was applied', () => {
    fc.assert(
      fc.property(input, (given) => {
        const decision = settle(given);
        if (!given.row || !('change' in decision)) return;
        const after = { ...given.row, ...decision.change.set, seq: given.row.seq + 1 };
        expect(settle({ ...given, row: after })).not.toHaveProperty('change');
      }),
    );
  });
});

describe('backoff', () => {
  it('is between its floor and its cap, and grows no further than the exponential', () => {
    const policy = fc.record({
      minDelaySeconds: fc.double({ min: 0, max: 100, noNaN: true }),
      extra: fc.double({ min: 0, max: 1e5, noNaN: true }),
      factor: fc.double({ min: 1, max: 10, noNaN: true }),
    });
    fc.assert(
      fc.property(policy, fc.integer({ min: 0, max: 100 }), fraction, ({ minDelaySeconds, extra, factor }, failures, chance) => {
        const maxDelaySeconds = minDelaySeconds + extra;
        const ms = backoffMs({ minDelaySeconds, maxDelaySeconds, factor }, failures, chance);
        expect(Number.isInteger(ms)).toBe(true);
        expect(ms).toBeGreaterThanOrEqual(Math.floor(minDelaySeconds * 1000));
        expect(ms).toBeLessThanOrEqual(Math.ceil(Math.min(maxDelaySeconds, minDelaySeconds * factor ** failures) * 1000));
      }),
    );
  });
});

describe('homes and cells', () => {
  it('a queue delay is never early and never a second late; a bucket is armed in time', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1e9, max: 1e11 }), (ms) => {
        const home = homeFor(T0 + ms, T0);
        if (home.in === 'bucket') {
          expect(home.minute).toBe(minuteOf(T0 + ms));
          expect(armedInTime(home.minute, T0)).toBe(true);
          return;
        }
        expect(home.delaySeconds * 1000).toBeGreaterThanOrEqual(ms);
        expect(home.delaySeconds * 1000 - Math.max(0, ms)).toBeLessThan(1_000);
      }),
    );
  });

  it('cells hold the limit exactly, evenly, and none more than fits into it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000 }), (limit) => {
        const cells = cellLimits(limit);
        expect(cells.reduce((sum, n) => sum + n, 0)).toBe(limit);
        expect(Math.max(...cells)).toBeLessThanOrEqual(PERMITS_PER_CELL);
        expect(Math.max(...cells) - Math.min(...cells)).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe('shuffleShard', () => {
  const tenant = fc.stringMatching(/^[a-z0-9][a-z0-9_-]{0,63}$/);

  it('is k distinct shards of N', () => {
    fc.assert(
      fc.property(tenant, fc.integer({ min: 1, max: 64 }), fc.integer({ min: 1, max: 8 }), (name, n, k) => {
        const shards = shuffleShard(name, n, k);
        expect(new Set(shards).size).toBe(Math.min(k, n));
        expect(shards.every((shard) => Number.isInteger(shard) && shard >= 0 && shard < n)).toBe(true);
      }),
    );
  });

  it('changes with N only by the shards that are new', () => {
    fc.assert(
      fc.property(
        tenant,
        fc.integer({ min: 2, max: 64 }),
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 1, max: 8 }),
        (name, n, grown, k) => {
          const before = shuffleShard(name, n, k);
          const after = shuffleShard(name, n + grown, k);
          // What stays, stays in its order; what came is new; what went was pushed out from the end.
          const stayed = after.filter((shard) => shard < n);
          expect(stayed).toEqual(before.slice(0, stayed.length));
          expect(after.length).toBe(Math.min(k, n + grown));
        },
      ),
    );
  });

  it('spreads 10,000 tenants evenly over queues, and over pairs of them', () => {
    const N = 16;
    const perShard = new Map<number, number>();
    const perPair = new Map<string, number>();
    for (let i = 0; i < 10_000; i++) {
      const shards = shuffleShard(`tenant-${i}`, N, 2);
      for (const shard of shards) perShard.set(shard, (perShard.get(shard) ?? 0) + 1);
      const pair = [...shards].sort((a, b) => a - b).join();
      perPair.set(pair, (perPair.get(pair) ?? 0) + 1);
    }
    // Five standard deviations of a fair choice around its mean: 1250 ± 165 and 83 ± 46.
    expect(Math.min(...perShard.values())).toBeGreaterThan(1_085);
    expect(Math.max(...perShard.values())).toBeLessThan(1_415);
    expect(perPair.size).toBe((N * (N - 1)) / 2);
    expect(Math.min(...perPair.values())).toBeGreaterThan(37);
    expect(Math.max(...perPair.values())).toBeLessThan(129);
  });
});
