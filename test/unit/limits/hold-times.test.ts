import { describe, expect, it } from 'vitest';
import { adapt, AIMD_DEFAULTS as RULES, initial, type Aimd, type Ends } from '../../../core/limits/aimd.ts';
import { T0 } from '../../helpers/samples.ts';

const late = (over: Partial<Aimd> = {}): Aimd => ({
  ...initial(RULES, 40),
  limit: 40,
  round: 1_000,
  since: T0,
  base: 500,
  spent: 500_000,
  ...over,
});
const ends = (over: Partial<Ends>): Ends => ({ throttled: [], good: 1_000, held: 500_000, flight: 40, waiting: true, ...over });
const tooOld = (now: number): Pick<Ends, 'throttled'> => ({ throttled: [now - 60_000] });

describe('an event that got too old', () => {
  it('lowers a cell to what runs, where far more wait', () => {
    const now = T0 + 10_000;
    // Forty in ten seconds, of half a second each: two at once.
    expect(adapt(late(), ends({ ...tooOld(now), good: 1_040 }), RULES, 40, now)).toMatchObject({ limit: 2, top: 2, cutAt: now });
  });

  it('lowers nothing where most of them run', () => {
    const now = T0 + 10_000;
    expect(adapt(late(), ends({ ...tooOld(now), good: 1_600 }), RULES, 40, now)).toMatchObject({ limit: 40, slow: 1 });
  });

  it('is what lowers: that others take longer does not', () => {
    expect(adapt(late({ lag: 60_000 }), ends({ good: 1_040, held: 900_000 }), RULES, 40, T0 + 10_000)).toBeUndefined();
  });
});
