import type { HintMessage } from '@sluice/contracts';
import { beforeEach, describe, expect, it } from 'vitest';
import type { DedicatedQueues } from '../../core/ports/dedicated-queues.ts';
import type { HintQueue, QueueRef } from '../../core/ports/hint-queue.ts';
import type { QueueWatch } from '../../core/ports/queue-watch.ts';
import { NOW } from './fixtures.ts';

export interface DedicatedHarness {
  readonly queue: HintQueue;
  readonly watch: QueueWatch;
  readonly dedicated: DedicatedQueues;
  /** Whether dispatch is fed from the queue. */
  readonly isFed: (queue: QueueRef) => Promise<boolean>;
}

const HINT = (tenant: string): HintMessage => ({ v: 1, kind: 'lane', tenant, type: 'thumbnail', made: NOW });
const OWN: QueueRef = { priority: 'normal', shard: 'd1' };
const OTHER: QueueRef = { priority: 'normal', shard: 'd2' };

export function dedicatedQueuesContract(name: string, make: () => Promise<DedicatedHarness>): void {
  describe(`dedicated queues: ${name}`, () => {
    let { queue, watch, dedicated, isFed }: DedicatedHarness = {} as DedicatedHarness;
    beforeEach(async () => {
      ({ queue, watch, dedicated, isFed } = await make());
    });
    const made = async (tenant: string, generation: number): Promise<void> => {
      await expect.poll(() => dedicated.make(tenant, generation)).toBe(true);
    };
    const send = (ref: QueueRef, tenant: string, delaySeconds = 0) => queue.send([{ queue: ref, message: HINT(tenant), delaySeconds }]);

    it('are not there before they are made: nothing is taken for them, and nothing is known of them', async () => {
      expect(await send(OWN, 'acme')).toEqual([false]);
      expect(await watch.depths([OWN])).toEqual([undefined]);
      expect(await isFed(OWN)).toBe(false);
    });

    it('are made once, however often they are asked for', async () => {
      await Promise.all([made('acme', 1), made('acme', 1)]);
      await made('acme', 1);
      for (const priority of ['high', 'normal', 'low'] as const) expect(await isFed({ priority, shard: 'd1' })).toBe(true);
      expect(await isFed(OTHER)).toBe(false);
    });

    it("take their tenant's hints and keep them apart from another's", async () => {
      await made('acme', 1);
      await made('b', 2);
      await dedicated.disconnect('acme', 1);
      await dedicated.disconnect('b', 2);
      expect(await send(OWN, 'acme')).toEqual([true]);
      expect(await send({ priority: 'high', shard: 'd1' }, 'acme')).toEqual([true]);
      expect(await send(OTHER, 'b', 900)).toEqual([true]);
      expect(await watch.depths([OWN, OTHER])).toEqual([
        { visible: 1, inFlight: 0, delayed: 0 },
        { visible: 0, inFlight: 0, delayed: 1 },
      ]);
      const left = await dedicated.receive('acme', 1);
      expect(left.map(({ priority, body }) => [priority, JSON.parse(body) as unknown])).toEqual([
        ['high', HINT('acme')],
        ['normal', HINT('acme')],
      ]);
      // Whoever has received them died before they were hinted anew.
      const again = await dedicated.receive('acme', 1);
      expect(again.map(({ body }) => body).sort()).toEqual(left.map(({ body }) => body).sort());
      await dedicated.discard('acme', 1, again);
      expect(await dedicated.receive('acme', 1)).toEqual([]);
      expect(await watch.depths([OWN])).toEqual([{ visible: 0, inFlight: 0, delayed: 0 }]);
      expect(await dedicated.receive('b', 2)).toEqual([]);
    });

    it('are disconnected and removed again and again, also when they never were', async () => {
      await made('acme', 1);
      await made('b', 2);
      for (let n = 0; n < 2; n++) {
        await expect.poll(() => dedicated.disconnect('acme', 1)).toBe(true);
        expect(await isFed(OWN)).toBe(false);
        await dedicated.remove('acme', 1);
        expect(await send(OWN, 'acme')).toEqual([false]);
      }
      expect(await dedicated.receive('acme', 1)).toEqual([]);
      expect(await isFed(OTHER)).toBe(true);
      await expect.poll(() => dedicated.disconnect('c', 9)).toBe(true);
      await dedicated.remove('c', 9);
    });

    it('are looked into without taking anything out', async () => {
      await made('acme', 1);
      await dedicated.disconnect('acme', 1);
      for (const tenant of ['x', 'y', 'z']) await send(OWN, tenant);
      const seen = await watch.sample(OWN, 30);
      expect(seen.length).toBeGreaterThan(0);
      for (const body of seen) expect(JSON.parse(body)).toMatchObject({ kind: 'lane', type: 'thumbnail' });
      expect(await dedicated.receive('acme', 1)).toHaveLength(3);
      expect(await watch.sample(OTHER, 30)).toEqual([]);
    });
  });
}
