import { LIMITS, type StartChoice } from '@sluice/contracts';
import { describe, expect, it } from 'vitest';
import { isAuto, nextChoice, startMode } from '../../../core/starts/choose.ts';
import { T0 } from '../../helpers/samples.ts';

const byEvent: StartChoice = { v: 1, type: 'echo', mode: 'event', since: T0 };
const byWait: StartChoice = { ...byEvent, mode: 'wait' };

describe('how the next attempts of a type are started', () => {
  it.each([
    ['event', 10, byWait, 'event'],
    ['wait', 10, byEvent, 'wait'],
    ['wait', LIMITS.waitTimeoutSeconds + 1, byWait, 'event'],
    ['auto', 10, undefined, 'event'],
    ['auto', 10, byEvent, 'event'],
    ['auto', 10, byWait, 'wait'],
    ['auto', LIMITS.autoTimeoutSeconds, byWait, 'wait'],
    // What was chosen before the type's timeout was raised.
    ['auto', LIMITS.autoTimeoutSeconds + 1, byWait, 'event'],
  ] as const)('%s with a timeout of %i s', (start, timeoutSeconds, choice, mode) => {
    expect(startMode({ start, timeoutSeconds }, choice)).toBe(mode);
  });

  it('is measured for `auto` alone, up to the longest timeout that is waited for', () => {
    expect(isAuto({ start: 'auto', timeoutSeconds: LIMITS.autoTimeoutSeconds })).toBe(true);
    expect(isAuto({ start: 'auto', timeoutSeconds: LIMITS.autoTimeoutSeconds + 1 })).toBe(false);
    expect(isAuto({ start: 'wait', timeoutSeconds: 1 })).toBe(false);
  });
});

describe('a choice', () => {
  const next = (choice: StartChoice, runs: number, slow: number, long: number) => nextChoice(choice, { runs, slow, long }, T0 + 60_000);

  it('stays as it is while fewer than a thousand runs were seen', () => {
    expect(next(byEvent, 999, 0, 0)).toBe(byEvent);
    expect(next(byWait, 999, 999, 50)).toBe(byWait);
  });

  it('becomes `wait` when 95 % of a thousand took half a second at most', () => {
    expect(next(byEvent, 1_000, 50, 50)).toEqual({ ...byWait, since: T0 + 60_000 });
    expect(next(byEvent, 1_000, 51, 0)).toEqual({ ...byEvent, since: T0 + 60_000 });
  });

  it('stays `wait` up to a second, and becomes `event` above it', () => {
    expect(next(byWait, 1_000, 1_000, 50)).toEqual({ ...byWait, since: T0 + 60_000 });
    expect(next(byWait, 1_000, 1_000, 51)).toEqual({ ...byEvent, since: T0 + 60_000 });
  });

  it('becomes `event` as soon as it can no longer be otherwise of a thousand', () => {
    expect(next(byWait, 51, 51, 51)).toEqual({ ...byEvent, since: T0 + 60_000 });
    expect(next(byWait, 50, 50, 50)).toBe(byWait);
  });

  it('is later than the one before it, whatever clocks say', () => {
    expect(nextChoice({ ...byEvent, since: T0 }, { runs: 1_000, slow: 0, long: 0 }, T0 - 5_000).since).toBe(T0 + 1);
  });
});
