import { uidSchema } from '@sluice/contracts';
import { decodeTime } from 'ulid';
import { describe, expect, it } from 'vitest';
import type { Clock } from '../../core/ports/clock.ts';
import type { Random } from '../../core/ports/random.ts';
import type { Timer } from '../../core/ports/timer.ts';
import { NOW } from './fixtures.ts';

const many = <T>(make: () => T): readonly T[] => Array.from({ length: 2000 }, make);

export function randomContract(name: string, make: () => Random): void {
  describe(`random: ${name}`, () => {
    it('gives fractions spread over [0, 1)', () => {
      const random = make();
      const fractions = many(random.fraction);
      for (const fraction of fractions) expect(fraction >= 0 && fraction < 1).toBe(true);
      const mean = fractions.reduce((sum, fraction) => sum + fraction, 0) / fractions.length;
      expect(mean).toBeGreaterThan(0.45);
      expect(mean).toBeLessThan(0.55);
    });

    it('gives uids of a time, no two of one millisecond alike or in order', () => {
      const random = make();
      const uids = many(() => random.ulid(NOW));
      for (const uid of uids) {
        expect(uidSchema.parse(uid)).toBe(uid);
        expect(decodeTime(uid)).toBe(NOW);
      }
      expect(new Set(uids).size).toBe(uids.length);
      expect([...uids].sort()).not.toEqual(uids);
      expect(random.ulid(NOW) < random.ulid(NOW + 1)).toBe(true);
    });

    it('gives nonces that differ and can stand in a permit', () => {
      const random = make();
      const nonces = many(random.nonce);
      expect(new Set(nonces).size).toBe(nonces.length);
      for (const nonce of nonces) expect(nonce).toMatch(/^[A-Za-z0-9_-]{8,}$/);
    });
  });
}

export function timeContract(name: string, make: () => { readonly clock: Clock; readonly timer: Timer }): void {
  describe(`clock and timer: ${name}`, () => {
    it('tell whole milliseconds, and wait at least as long as they were asked to', async () => {
      const { clock, timer } = make();
      const before = clock.now();
      expect(Number.isInteger(before)).toBe(true);
      await timer.sleep(5);
      // A timer and a clock round differently.
      expect(clock.now() - before).toBeGreaterThanOrEqual(4);
    });
  });
}
