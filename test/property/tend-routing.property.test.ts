import fc from 'fast-check';
import type { HintedTask } from '@sluice/contracts';
import { expect, it } from 'vitest';
import {
  createMemoryBacklogStore,
  createMemoryBucketStore,
  createMemoryClock,
  createMemoryQueues,
  createMemoryRandom,
  createMemoryRoutingStore,
  createMemoryTelemetry,
} from '../../adapters/memory/index.ts';
import { parseHint } from '../../core/hints/parse.ts';
import { placeHints, type PlaceDeps } from '../../core/hints/place.ts';
import type { HintSend, QueueRef } from '../../core/ports/hint-queue.ts';
import { DEFAULT_ROUTING_SETTINGS, ROUTING_KEPT_MS } from '../../core/routing/settings.ts';
import { shuffleShard } from '../../core/routing/shuffle-shard.ts';
import { tendRouting, type TendRoutingDeps } from '../../core/routing/tend-routing.ts';
import { T0 } from '../helpers/samples.ts';

const POOL = { shards: 4, shardsPerTenant: 2 };
const MINUTE = 60_000;
/** Between two rounds, and so the finest time that readers and control can differ by. */
const STEP = 20_000;
/** Busy with 20 messages, so that a run stays small. */
const SETTINGS = { ...DEFAULT_ROUTING_SETTINGS, busyDepth: 20, demoteAfterMs: 5 * MINUTE };

type Fate = 'none' | 'before' | 'after';

/** A platform whose control is cut off at the calls that a plan names, and whose readers know old documents. */
function makeWorld(fates: readonly Fate[]) {
  const clock = createMemoryClock(T0);
  const random = createMemoryRandom(7);
  const queues = createMemoryQueues({ clock, random, visibilitySeconds: 180 });
  const routes = createMemoryRoutingStore({ clock });
  const telemetry = createMemoryTelemetry();
  let call = 0;
  const cut = <T extends object>(port: T): T =>
    Object.fromEntries(
      Object.entries(port).map(([name, method]) => [
        name,
        async (...args: unknown[]) => {
          const fate = fates[call++] ?? 'none';
          if (fate === 'before') throw new Error('cut off');
          const answer: unknown = await (method as (...args: unknown[]) => unknown)(...args);
          if (fate === 'after') throw new Error('cut off');
          return answer;
        },
      ]),
    ) as T;
  const place: PlaceDeps = { queue: queues, buckets: createMemoryBucketStore(), clock, random, routing: POOL };
  const { send, giveBack } = queues;
  const control: TendRoutingDeps = {
    ...place,
    queue: cut({ send, giveBack }),
    routing: { ...POOL, map: routes },
    watch: cut(queues.watch),
    dedicatedQueues: cut(queues.dedicatedQueues),
    backlog: createMemoryBacklogStore(),
    routes: cut({ read: routes.read, write: routes.write }),
    routingSettings: SETTINGS,
    sensitiveTenants: async () => [],
    telemetry,
    timer: { sleep: async () => {} },
  };
  return { clock, random, queues, routes, place, control, calls: () => call };
}

const task = (id: string, now: number, delayMs: number): HintedTask => ({
  id,
  uid: '01ARZ3NDEKTSV4RRFFQ69G5FAV',
  seq: 0,
  at: now + delayMs,
  made: now,
  type: 'echo',
  priority: 'normal',
});

/** What is visible in queues that feed dispatch is worked off. */
async function workOff({ queues, random }: ReturnType<typeof makeWorld>, most: number, seen: Set<string>): Promise<void> {
  for (let n = 0; n < most; n++) {
    const [message] = queues.messages.receive(1).map(({ receipt, body, queue }) => {
      const [priority, shard] = queue.split('-') as [QueueRef['priority'], `d${number}`];
      const ref: QueueRef = { priority, shard: shard.startsWith('d') ? shard : Number(shard) };
      return { receipt, body, ref };
    });
    if (!message) return;
    if (queues.stateOf(message.ref) !== 'fed') {
      // Nobody is fed from it: it is there as before.
      queues.messages.changeVisibility(message.receipt, 0);
      if (random.fraction() < 0.3) return;
      continue;
    }
    const hint = parseHint(message.body);
    if (hint?.kind === 'tasks') for (const { id } of hint.tasks) seen.add(id);
    queues.messages.remove(message.receipt);
  }
}

it('no hint is lost while queues of a tenant come and go, wherever control is cut off, twice at once, whatever readers know', async () => {
  const fate = fc.constantFrom<Fate>('none', 'none', 'none', 'none', 'before', 'after');
  const plan = fc.record({
    fates: fc.array(fate, { maxLength: 400 }),
    twice: fc.array(fc.boolean(), { minLength: 7, maxLength: 7 }),
    lateMs: fc.array(fc.integer({ min: 0, max: ROUTING_KEPT_MS }), { minLength: 1, maxLength: 5 }),
    delayMs: fc.constantFrom(0, 40_000, 900_000),
  });
  const reached = new Set<string>();
  await fc.assert(
    fc.asyncProperty(plan, async ({ fates, twice, lateMs, delayMs }) => {
      const world = makeWorld(fates);
      const { clock, queues, routes, place, control } = world;
      const sent: string[] = [];
      const seen = new Set<string>();
      const readers = lateMs.map((late) => routes.mapOf(late));
      for (let step = 0; step < 180; step++) {
        // Hot for eight minutes, then now and then a hint, some of them delayed.
        const hints = step < 24 ? 30 : Number(step % 3 === 0);
        for (let n = 0; n < hints; n++) {
          const map = readers[(n + step) % readers.length];
          const id = `t${step}-${n}`;
          const entry = { tenant: 'acme', task: task(id, clock.now(), step > 24 || n % 7 === 0 ? delayMs : 0) };
          const [durable] = await placeHints({ ...place, routing: { ...POOL, ...(map && { map }) } }, [entry]);
          expect(durable).toBe(true);
          sent.push(id);
        }
        const rounds = twice[step % 7] === true ? 2 : 1;
        await Promise.allSettled(Array.from({ length: rounds }, () => tendRouting(control)));
        for (const { state } of (await routes.read())?.dedicated ?? []) reached.add(state);
        await workOff(world, step < 24 ? 15 : 400, seen);
        clock.advance(STEP);
      }
      // Control heals, readers learn, and everything comes to its end.
      for (let minute = 0; minute < 40; minute++) {
        await tendRouting({ ...control, queue: queues, watch: queues.watch, dedicatedQueues: queues.dedicatedQueues, routes });
        await workOff(world, 1_000, seen);
        clock.advance(MINUTE);
      }
      expect(sent.filter((id) => !seen.has(id))).toEqual([]);
      expect(queues.bodies()).toEqual([]);
      const document = await routes.read();
      expect(document?.dedicated ?? []).toEqual([]);
      for (let generation = 1; generation <= (document?.generations ?? 0); generation++) {
        expect(queues.stateOf({ priority: 'normal', shard: `d${generation}` })).toBe('gone');
      }
    }),
    { numRuns: 40 },
  );
  expect([...reached].sort()).toEqual(['active', 'closing', 'creating', 'draining']);
});

it("a tenant's own queue that somebody deleted costs nothing but a second call: its hints go to the shared ones", async () => {
  const { clock, queues, routes, place } = makeWorld([]);
  await routes.write({
    v: 1,
    version: 1,
    generations: 1,
    dedicated: [{ tenant: 'acme', generation: 1, state: 'active', since: T0 }],
    moved: [],
    suspects: [],
  });
  const calls: (readonly HintSend[])[] = [];
  const queue = {
    ...queues,
    send: (sends: readonly HintSend[]) => {
      calls.push(sends);
      return queues.send(sends);
    },
  };
  const entries = ['a', 'b'].map((id) => ({ tenant: 'acme', task: task(id, clock.now(), 0) }));
  const deps = { ...place, queue, routing: { ...POOL, map: routes } };
  expect(await placeHints(deps, [...entries, { tenant: 'b', task: task('c', clock.now(), 0) }], 3)).toEqual([true, true, true]);
  expect(calls.map((sends) => sends.map((send) => send.queue.shard))).toEqual([['d1', 3], [expect.any(Number)]]);
  expect(shuffleShard('acme', 4, 2)).toContain(calls[1]?.[0]?.queue.shard);
});
