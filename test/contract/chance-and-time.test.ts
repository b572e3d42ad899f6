import { expect, it } from 'vitest';
import { createMemoryClock } from '../../adapters/memory/clock.ts';
import { createMemoryRandom } from '../../adapters/memory/random.ts';
import { createMemoryTimer } from '../../adapters/memory/timer.ts';
import { systemClock, systemRandom, systemTimer } from '../../adapters/system.ts';
import { randomContract, timeContract } from './chance-and-time.ts';
import { NOW } from './fixtures.ts';

randomContract('memory', () => createMemoryRandom());
randomContract('system', () => systemRandom);
timeContract('memory', () => {
  const clock = createMemoryClock();
  return { clock, timer: createMemoryTimer(clock) };
});
timeContract('system', () => ({ clock: systemClock, timer: systemTimer }));

it('memory chance is the same for one seed and another for another', () => {
  const names = (seed: number): readonly string[] => {
    const random = createMemoryRandom(seed);
    return [random.ulid(NOW), random.nonce(), String(random.fraction())];
  };
  expect(names(7)).toEqual(names(7));
  expect(names(7)).not.toEqual(names(8));
});

it('a memory clock jumps, back as well', () => {
  const clock = createMemoryClock(NOW);
  clock.advance(5);
  expect(clock.now()).toBe(NOW + 5);
  clock.set(NOW - 5);
  expect(clock.now()).toBe(NOW - 5);
});
