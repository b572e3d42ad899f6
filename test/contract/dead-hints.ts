import { beforeEach, describe, expect, it } from 'vitest';
import type { DeadHints } from '../../core/ports/hint-queue.ts';

export interface DeadHintsUnderTest {
  readonly dead: DeadHints;
  /** Makes a message of this body dead. */
  readonly bury: (body: string) => Promise<void>;
}

/** Dead hints have no tenant but that in their body: one operator looks at all of them. */
export function deadHintsContract(name: string, make: () => Promise<DeadHintsUnderTest>): void {
  describe(`dead hints: ${name}`, () => {
    let dead: DeadHints;
    let bury: DeadHintsUnderTest['bury'];
    beforeEach(async () => {
      ({ dead, bury } = await make());
    });

    it('are none at first', async () => {
      expect(await dead.receive()).toEqual([]);
      await dead.remove([]);
    });

    it('come with their bodies, ten at most, and go when they are removed', async () => {
      const bodies = Array.from({ length: 12 }, (_, n) => JSON.stringify({ n }));
      for (const body of bodies) await bury(body);
      const found: string[] = [];
      for (let calls = 0; calls < 20 && found.length < 12; calls++) {
        const received = await dead.receive();
        expect(received.length).toBeLessThanOrEqual(10);
        found.push(...received.map(({ body }) => body));
        await dead.remove(received.map(({ receipt }) => receipt));
        await dead.remove(received.map(({ receipt }) => receipt));
      }
      expect([...found].sort()).toEqual([...bodies].sort());
      expect(await dead.receive()).toEqual([]);
    });
  });
}
