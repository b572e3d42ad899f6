import type { RunCounts, StartChoice, StartMode } from '@sluice/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextChoice, RUN_TIMES, START_RULES, type StartRules } from '../../core/starts/choose.ts';
import { createRunTally } from '../../core/starts/run-tally.ts';
import { T0 } from '../helpers/samples.ts';

const RULES: StartRules = { ...START_RULES, runs: 20 };
const mode = fc.constantFrom<StartMode>('event', 'wait');
/** ms, many of them at the bounds. */
const ms = fc.oneof(fc.integer({ min: 0, max: 3_000 }), fc.constantFrom(499, 500, 501, 999, 1_000, 1_001));
const choiceOf = (of: StartMode): StartChoice => ({ v: 1, type: 'echo', mode: of, since: T0 });

function countsOf(times: readonly number[]): RunCounts {
  const tally = createRunTally();
  for (const each of times) tally.add(choiceOf('event'), each, T0);
  return tally.due(Infinity)[0]?.counts ?? { runs: 0, slow: 0, long: 0 };
}

/** The 95th percentile by nearest rank. */
function p95(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[Math.ceil(0.95 * times.length) - 1] ?? 0;
}

describe('how a type is started', () => {
  it('follows the 95th percentile of what was measured, exactly', () => {
    fc.assert(
      fc.property(mode, fc.array(ms, { minLength: RULES.runs, maxLength: 200 }), (before, times) => {
        const after = nextChoice(choiceOf(before), countsOf(times), T0 + 1, RULES).mode;
        const expected = before === 'event' ? p95(times) <= RUN_TIMES.slow : p95(times) <= RUN_TIMES.long;
        expect(after).toBe(expected ? 'wait' : 'event');
      }),
    );
  });

  it('is decided early only where the runs that are missing could not change it', () => {
    fc.assert(
      fc.property(mode, fc.array(ms, { maxLength: RULES.runs - 1 }), (before, times) => {
        const choice = choiceOf(before);
        const after = nextChoice(choice, countsOf(times), T0 + 1, RULES);
        if (after === choice) return;
        expect([before, after.mode]).toEqual(['wait', 'event']);
        const whole = [...times, ...Array.from({ length: RULES.runs - times.length }, () => 0)];
        expect(p95(whole)).toBeGreaterThan(RUN_TIMES.long);
      }),
    );
  });

  it('does not go to and fro with a 95th percentile between the two bounds', () => {
    const between = fc.array(fc.integer({ min: RUN_TIMES.slow + 1, max: RUN_TIMES.long }), { minLength: RULES.runs, maxLength: 100 });
    fc.assert(
      fc.property(mode, fc.array(between, { minLength: 1, maxLength: 10 }), (before, windows) => {
        const after = windows.reduce((choice, times) => nextChoice(choice, countsOf(times), T0, RULES), choiceOf(before));
        expect(after.mode).toBe(before);
        expect(after.since).toBe(T0 + windows.length);
      }),
    );
  });
});
