import { LIMITS, retryOverrideSchema, retryPolicySchema, type Outcome, type RetryRule, type TaskError } from '@sluice/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { effectivePolicy } from '../../../core/retry/backoff.ts';
import { fits, ruled } from '../../../core/retry/rules.ts';
import { settle } from '../../../core/settle/decide.ts';
import { outcomeSample, runningRow, T0 } from '../../helpers/samples.ts';
import { createWorld, typeSpec } from '../../helpers/world.ts';

const failure = (error: TaskError, over: Partial<Outcome> = {}): Outcome =>
  outcomeSample({ class: 'retryable', answered: true, error, ...over });
const classBy = (error: TaskError, ...rules: RetryRule[]) => ruled(failure(error), rules).class;

describe('a pattern', () => {
  it.each([
    ['abc', 'abc', true],
    ['abc', 'ab', false],
    ['abc', 'ABC', false],
    ['abc', 'a*', true],
    ['abc', '*c', true],
    ['abc', 'a*c', true],
    ['abc', '*', true],
    ['', '*', true],
    ['abc', '*b*', true],
    ['abc', '*d*', false],
    ['ab', 'ab*b', false],
    ['aXbXb', 'a*b*b', true],
    ['a.c', 'a.c', true],
    ['abc', 'a.c', false],
    ['connect ECONNREFUSED 10.0.0.1', '*ECONN*', true],
  ])('%s fits %s: %s', (text, pattern, expected) => {
    expect(fits(text, pattern)).toBe(expected);
  });

  it('means what the regular expression of the same wildcards means', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 8 });
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 10 }), letters, (text, pattern) => {
        expect(fits(text, pattern)).toBe(new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(text));
      }),
      { numRuns: 2_000 },
    );
  });

  it('takes no longer for being nasty', () => {
    // A backtracking matcher needs longer than the universe has been there.
    expect(fits('a'.repeat(2_048), `${'*a'.repeat(63)}*b`)).toBe(false);
  });
});

describe('a rule', () => {
  const error = { name: 'com.acme.TimeoutError', message: 'no answer in 30 s', status: 503 };

  it.each([
    [{ error: 'TimeoutError', as: 'fatal' }, 'fatal'],
    [{ error: 'com.acme.*', as: 'fatal' }, 'fatal'],
    [{ error: 'Timeout', as: 'fatal' }, 'retryable'],
    [{ message: '*30 s', as: 'throttled' }, 'throttled'],
    [{ status: 503, as: 'throttled' }, 'throttled'],
    [{ status: '5xx', as: 'throttled' }, 'throttled'],
    [{ status: '4xx', as: 'fatal' }, 'retryable'],
    [{ error: 'TimeoutError', message: 'other', as: 'fatal' }, 'retryable'],
    [{ error: 'TimeoutError', message: '*', status: 503, as: 'fatal' }, 'fatal'],
  ] as [RetryRule, string][])('%o makes of it: %s', (rule, expected) => {
    expect(classBy(error, rule)).toBe(expected);
  });

  it('of a status does not fit what has none', () => {
    expect(classBy({ name: 'E', message: 'm' }, { status: '5xx', as: 'fatal' })).toBe('retryable');
  });

  it('that fits first counts', () => {
    expect(classBy(error, { status: 503, as: 'throttled' }, { error: '*', as: 'fatal' })).toBe('throttled');
  });

  it('of the task comes before those of its type, and the table after both', () => {
    const type = retryPolicySchema.parse({
      rules: [
        { status: 503, as: 'fatal' },
        { status: 500, as: 'throttled' },
      ],
    });
    const { rules } = effectivePolicy(type, { rules: [{ status: 503, as: 'retryable' }] });
    expect([503, 500, 502].map((status) => classBy({ name: 'E', message: '', status }, ...(rules ?? [])))).toEqual([
      'retryable',
      'throttled',
      'retryable',
    ]);
  });

  it('says how long to wait, and a server that asks for longer is heard', () => {
    const rules: RetryRule[] = [{ error: '*', as: 'throttled', afterSeconds: 30 }];
    expect(ruled(failure(error), rules).retryAfterMs).toBe(30_000);
    expect(ruled(failure(error, { retryAfterMs: 90_000 }), rules).retryAfterMs).toBe(90_000);
  });

  it('is only for what came back from the handler', () => {
    const rules: RetryRule[] = [{ error: '*', as: 'fatal' }];
    for (const cls of ['throttled', 'undone', 'lost'] as const) {
      const { answered: _, ...outcome } = failure(error, { class: cls });
      expect(ruled(outcome, rules).class).toBe(cls);
    }
    expect(ruled(outcomeSample({ answered: true }), rules).class).toBe('succeeded');
  });
});

describe('rules are refused', () => {
  it.each([
    [{ as: 'fatal' }, /names an error, a message or a status/],
    [{ error: '', as: 'fatal' }, /at least one character/],
    [{ error: 'E', as: 'ignored' }, /retryable/],
    [{ status: 99, as: 'fatal' }, /it is 99 and must be a status from 100 to 599/],
    [{ status: '6xx', as: 'fatal' }, /it is "6xx" and must be a status/],
    [{ status: JSON.parse('['.repeat(50_000) + ']'.repeat(50_000)), as: 'fatal' }, /it is a list and must be a status/],
    [{ status: { class: 5 }, as: 'fatal' }, /it is an object and must be a status/],
    [{ error: 'E', as: 'fatal', afterSeconds: 1 }, /no meaning for what is fatal/],
    [{ error: 'E', regex: '.*', as: 'fatal' }, /regex/],
  ])('%o', (rule, message) => {
    const { error: refusal } = retryOverrideSchema.safeParse({ rules: [rule] });
    expect(refusal && z.prettifyError(refusal)).toMatch(message);
    expect(retryPolicySchema.safeParse({ rules: [rule] }).success).toBe(false);
  });

  it('of a task when they would fill its row, which those of a type do not', () => {
    const rules = Array.from({ length: LIMITS.retryRules }, (_, n) => ({ message: `${'x'.repeat(60)}${n}`, as: 'fatal' }));
    expect(retryOverrideSchema.safeParse({ rules }).success).toBe(false);
    expect(retryPolicySchema.safeParse({ rules }).success).toBe(true);
  });
});

describe('a failed attempt', () => {
  it.each(['event', 'wait'] as const)('is taken as its rules say, by the starter %s', async (start) => {
    const world = createWorld({
      types: [typeSpec('echo', { start, retry: { ...typeSpec('echo').retry, rules: [{ error: 'CardDeclined', as: 'fatal' }] } })],
      handlers: {
        echo: () => {
          throw Object.assign(new Error('declined by the bank'), { name: 'CardDeclined' });
        },
      },
    });
    await world.submit(
      'a',
      { type: 'echo', id: 'by-type' },
      { type: 'echo', id: 'by-task', retry: { maxAttempts: 2, rules: [{ message: 'declined*', as: 'retryable' }] } },
    );
    await world.run();
    expect(await world.row('a', 'by-type')).toMatchObject({ state: 'failed', reason: 'fatal', attempts: 1 });
    expect(await world.row('a', 'by-task')).toMatchObject({ state: 'failed', reason: 'attempts_exhausted', attempts: 2 });
  });

  const retry = { maxAttempts: 5, minDelaySeconds: 10, maxDelaySeconds: 60, factor: 2 };
  const again = (retryAfterMs: number, over: Partial<typeof retry> & { maxAgeSeconds?: number } = {}) =>
    settle({
      row: runningRow(),
      outcome: failure({ name: 'E', message: '' }, { retryAfterMs }),
      by: 'record',
      spec: typeSpec('echo', { retry: { ...retry, ...over } }),
      now: T0,
      fraction: 0,
    });

  it.each([
    [1_000, 10_000],
    [30_000, 30_000],
    [600_000, 600_000],
    [10 ** 12, LIMITS.retryAfterSeconds * 1_000],
  ])('whose server asks for %i ms is tried again in %i', (asked, expected) => {
    expect(again(asked)).toMatchObject({ do: 'again', at: T0 + expected });
  });

  it('whose server asks for more than its age allows has failed', () => {
    expect(again(600_000, { maxAgeSeconds: 60 })).toMatchObject({ do: 'end', change: { set: { reason: 'max_age' } } });
  });

  it('does not count as its age what it was held back', () => {
    const row = runningRow({ attempts: 1, at: T0 + 20_000, run: { ...runningRow().run!, claimedAt: T0 + 500_000 } });
    const decide = (maxAgeSeconds: number) =>
      settle({
        row,
        outcome: failure({ name: 'E', message: '' }),
        by: 'record',
        spec: typeSpec('echo', { retry: { ...retry, maxAgeSeconds } }),
        now: T0 + 505_000,
        fraction: 0,
      });
    // 20 s to its second start was due, 480 s held, 5 s run, 10 s to the next.
    expect(decide(35)).toMatchObject({ do: 'again', change: { set: { firstClaimAt: T0 + 480_000 } } });
    expect(decide(34)).toMatchObject({ do: 'end' });
  });
});
