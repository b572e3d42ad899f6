import type { RoutingDocument } from '@sluice/contracts';
import { describe, expect, it } from 'vitest';
import { nextDocument, NO_ROUTING } from '../../../core/routing/next-document.ts';
import type { DedicatedFacts, Observation, QueueDepth } from '../../../core/routing/observe.ts';
import { DEFAULT_ROUTING_SETTINGS as SETTINGS } from '../../../core/routing/settings.ts';
import { rendezvousOrder, shuffleShard } from '../../../core/routing/shuffle-shard.ts';
import { T0 } from '../../helpers/samples.ts';

const POOL = { shards: 8, shardsPerTenant: 2 };
const MINUTE = 60_000;
const EMPTY: QueueDepth = { visible: 0, inFlight: 0, delayed: 0 };

interface Seen {
  /** Visible messages of normal queues, by shard. */
  readonly visible?: Readonly<Record<number, number>>;
  /** Of 30 messages looked at in each busy queue. */
  readonly messages?: Readonly<Record<string, number>>;
  readonly dedicated?: Readonly<Record<number, DedicatedFacts>>;
  readonly sensitive?: readonly string[];
}

function observe({ visible = {}, messages = {}, dedicated = {}, sensitive = [] }: Seen): Observation {
  const queue = (shard: number): QueueDepth => ({ ...EMPTY, visible: visible[shard] ?? 0 });
  const none = Array.from({ length: 8 }, () => EMPTY);
  return {
    shared: { high: none, normal: none.map((_, shard) => queue(shard)), low: none },
    busy: Object.entries(visible).flatMap(([shard, depth]) =>
      depth < SETTINGS.busyDepth
        ? []
        : [{ priority: 'normal' as const, shard: Number(shard), visible: depth, seen: 30, byTenant: new Map(Object.entries(messages)) }],
    ),
    dedicated: new Map(Object.entries(dedicated).map(([generation, facts]) => [Number(generation), facts])),
    sensitive,
  };
}

/** What is seen at some minutes, one after the other. */
function rounds(from: RoutingDocument, seen: readonly (readonly [minute: number, Seen])[]): RoutingDocument {
  return seen.reduce((document, [minute, each]) => nextDocument(document, observe(each), POOL, SETTINGS, T0 + minute * MINUTE), from);
}

const HOT: Seen = { visible: { 3: 2_000 }, messages: { acme: 20, b: 5 } };
const states = (document: RoutingDocument) => document.dedicated.map(({ tenant, generation, state }) => `${tenant} ${generation} ${state}`);

describe('a tenant gets queues of its own', () => {
  it('when it kept a busy queue busy in three readings over two minutes, not before', () => {
    const twice = rounds(NO_ROUTING, [
      [0, HOT],
      [1, HOT],
    ]);
    expect(states(twice)).toEqual([]);
    expect(twice.suspects).toEqual([{ tenant: 'acme', since: T0, seen: 2 }]);
    const thrice = rounds(twice, [[2, HOT]]);
    expect(states(thrice)).toEqual(['acme 1 creating']);
    expect(thrice.suspects).toEqual([]);
  });

  it('not when a reading finds it gone in between, nor by two that run at once', () => {
    expect(
      rounds(NO_ROUTING, [
        [0, HOT],
        [1, HOT],
        [1.5, { visible: { 3: 2_000 }, messages: { b: 5 } }],
        [2, HOT],
      ]).suspects,
    ).toEqual([{ tenant: 'acme', since: T0 + 2 * MINUTE, seen: 1 }]);
    expect(
      states(
        rounds(NO_ROUTING, [
          [0, HOT],
          [0.01, HOT],
          [0.02, HOT],
        ]),
      ),
    ).toEqual([]);
  });

  it('not when its part is small, or the queue is not busy', () => {
    const small: Seen = { visible: { 3: 2_000 }, messages: { acme: 8 } };
    const short: Seen = { visible: { 3: 499 }, messages: { acme: 30 } };
    for (const seen of [small, short]) {
      expect(
        rounds(NO_ROUTING, [
          [0, seen],
          [1, seen],
          [2, seen],
        ]).dedicated,
      ).toEqual([]);
    }
  });

  it('is routed there when they work, and no more of them are made than are allowed', () => {
    const many: Seen = { visible: { 3: 2_000 }, messages: Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`t${i + 10}`, 9])) };
    const made = rounds(NO_ROUTING, [
      [0, many],
      [1, many],
      [2, many],
      [3, { ...many, dedicated: { 1: { ready: true } } }],
    ]);
    expect(made.dedicated).toHaveLength(SETTINGS.maxDedicated);
    expect(states(made).slice(0, 2)).toEqual(['t10 1 active', 't11 2 creating']);
  });

  it('is given up when they cannot be made', () => {
    const creating = rounds(NO_ROUTING, [
      [0, HOT],
      [1, HOT],
      [2, HOT],
    ]);
    expect(states(rounds(creating, [[11.9, {}]]))).toEqual(['acme 1 creating']);
    const closing = rounds(creating, [[12, {}]]);
    expect(states(closing)).toEqual(['acme 1 closing']);
    const gone = rounds(closing, [[13, { dedicated: { 1: { gone: true } } }]]);
    expect(gone).toMatchObject({ dedicated: [], generations: 1 });
  });
});

describe('queues of its own', () => {
  const ACTIVE: RoutingDocument = {
    ...NO_ROUTING,
    version: 7,
    generations: 3,
    dedicated: [{ tenant: 'acme', generation: 3, state: 'active', since: T0 }],
  };
  const own = (depth: Partial<QueueDepth>): Seen => ({ dedicated: { 3: { depth: { ...EMPTY, ...depth } } } });

  it('stay while there is work, which keeps a few messages in flight however short they are', () => {
    const busy = own({ inFlight: 40 });
    expect(
      states(
        rounds(ACTIVE, [
          [0, own({})],
          [14, busy],
          [15, own({})],
          [29, own({})],
        ]),
      ),
    ).toEqual(['acme 3 active']);
  });

  it('are left when they were idle for 15 minutes, consumed for 20 more, and closed when they were empty for 3', () => {
    const draining = rounds(ACTIVE, [
      [0, own({})],
      [15, own({ visible: 5 })],
    ]);
    expect(states(draining)).toEqual(['acme 3 draining']);
    expect(states(rounds(draining, [[34.9, own({})]]))).toEqual(['acme 3 draining']);
    const late = rounds(draining, [
      [30, own({ delayed: 1 })],
      [36, own({})],
      [38.9, own({})],
    ]);
    expect(states(late)).toEqual(['acme 3 draining']);
    expect(states(rounds(late, [[39, own({})]]))).toEqual(['acme 3 closing']);
  });

  it('are never closed unread', () => {
    const draining = rounds(ACTIVE, [
      [0, own({})],
      [15, own({})],
    ]);
    expect(
      states(
        rounds(draining, [
          [40, {}],
          [400, {}],
        ]),
      ),
    ).toEqual(['acme 3 draining']);
  });

  it('are taken again when the tenant is hot while they drain', () => {
    const draining = rounds(ACTIVE, [
      [0, own({})],
      [15, own({})],
    ]);
    const again = rounds(draining, [
      [16, { ...HOT, ...own({}) }],
      [17, { ...HOT, ...own({}) }],
      [18, { ...HOT, ...own({}) }],
    ]);
    expect(again).toMatchObject({ generations: 3, suspects: [] });
    expect(states(again)).toEqual(['acme 3 active']);
  });

  it('are left when they are switched off', () => {
    const none = { ...SETTINGS, maxDedicated: 0 };
    expect(states(nextDocument(ACTIVE, observe(own({ visible: 900 })), POOL, none, T0))).toEqual(['acme 3 draining']);
  });
});

describe('a latency-sensitive tenant', () => {
  const [first = 0, second = 0] = shuffleShard('quick', 8, 2);
  const filled: Seen = { visible: { [first]: 900 }, sensitive: ['quick'] };
  const next = rendezvousOrder('quick', 8).slice(1, 3);

  it('leaves a queue that has filled for the one that comes next for it, and nobody else does', () => {
    const moved = rounds(NO_ROUTING, [[0, filled]]).moved;
    expect(moved).toEqual([{ tenant: 'quick', shards: next, since: T0 }]);
    expect(rounds(NO_ROUTING, [[0, { visible: { [first]: 900 } }]]).moved).toEqual([]);
  });

  it('comes back when its own queues have been calm for five minutes', () => {
    const moved = rounds(NO_ROUTING, [
      [0, filled],
      [1, { visible: { [first]: 60 }, sensitive: ['quick'] }],
      [2, { sensitive: ['quick'] }],
      [6.9, { sensitive: ['quick'] }],
    ]);
    expect(moved.moved).toEqual([{ tenant: 'quick', shards: next, since: T0, quietSince: T0 + 2 * MINUTE }]);
    expect(rounds(moved, [[7, { sensitive: ['quick'] }]]).moved).toEqual([]);
  });

  it('stays where it is when all queues are filled, and when it is so no more', () => {
    const all: Seen = { visible: Object.fromEntries(Array.from({ length: 8 }, (_, i) => [i, 900])), sensitive: ['quick'] };
    expect(rounds(NO_ROUTING, [[0, all]]).moved).toEqual([]);
    const unmarked = rounds(NO_ROUTING, [
      [0, filled],
      [1, { visible: { [first]: 900, [second]: 900 } }],
    ]);
    expect(unmarked.moved).toEqual([]);
  });
});

describe('what is written', () => {
  it('is nothing while all queues are calm', () => {
    const calm: Seen = { visible: { 1: 49 }, sensitive: ['quick'] };
    expect(nextDocument(NO_ROUTING, observe(calm), POOL, SETTINGS, T0)).toBe(NO_ROUTING);
  });

  it('is the depths of all shared queues once one is noticeable, and once more when none is', () => {
    const told = rounds(NO_ROUTING, [[0, { visible: { 1: 50 } }]]);
    expect(told).toMatchObject({ version: 1, depths: { at: T0, normal: [0, 50, 0, 0, 0, 0, 0, 0] } });
    const calm = rounds(told, [[1, {}]]);
    expect(calm).toEqual({ ...NO_ROUTING, version: 2 });
    expect(rounds(calm, [[2, {}]])).toBe(calm);
  });
});
