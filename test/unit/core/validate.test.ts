import { isSluiceError, LIMITS, type ErrorCode } from '@sluice/contracts';
import { describe, expect, it } from 'vitest';
import { checkSubmission } from '../../../core/submit/validate.ts';
import { T0 } from '../../helpers/samples.ts';
import { createWorld } from '../../helpers/world.ts';

function refusal(input: unknown): { code: ErrorCode; message: string } {
  try {
    checkSubmission(input, T0);
  } catch (error) {
    if (isSluiceError(error)) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error('it was accepted');
}

const nested = (levels: number): unknown => Array.from({ length: levels }).reduce((inner) => [inner], null);
const many = (n: number): Record<string, string> => Object.fromEntries(Array.from({ length: n }, (_, i) => [`k${i}`, 'v']));

describe('a submission that is refused says what was given, what is allowed and what to do', () => {
  it.each<[string, unknown, RegExp[]]>([
    ['null', null, [/expected object, received null/]],
    ['a list', [], [/expected object, received array/]],
    ['text', 'echo', [/expected object, received string/]],
    ['no type', {}, [/expected string, received undefined/, /at type/]],
    ['a type that is no name', { type: 'My Type' }, [/a task type is lower-case letters, digits/, /at type/]],
    ['a type that is too long', { type: 'x'.repeat(LIMITS.typeLength + 1) }, [/64/, /at type/]],
    ['an unknown field', { type: 'echo', delay: 5 }, [/"delay"/]],
    ['an empty id', { type: 'echo', id: '' }, [/a task id is letters, digits/, /at id/]],
    ['an id with a #', { type: 'echo', id: 'a#b' }, [/a task id is letters, digits/]],
    ['an id that is too long', { type: 'echo', id: 'x'.repeat(LIMITS.idLength + 1) }, [/at most 128/]],
    ['an unknown priority', { type: 'echo', priority: 'urgent' }, [/"high"\|"normal"\|"low"/, /at priority/]],
    ['a negative delay', { type: 'echo', delaySeconds: -1 }, [/>=0/, /at delaySeconds/]],
    ['a delay that is too long', { type: 'echo', delaySeconds: LIMITS.delaySeconds + 1 }, [/<=158112000/, /at delaySeconds/]],
    ['a delay and a time', { type: 'echo', delaySeconds: 1, runAt: '2026-01-02T00:00:00Z' }, [/delaySeconds or runAt, not both/]],
    ['a time that is none', { type: 'echo', runAt: 'tomorrow' }, [/ISO datetime/, /at runAt/]],
    [
      'a label that a record cannot have',
      { type: 'echo', labels: JSON.parse('{"__proto__":"x"}') as unknown },
      [/cannot be named "__proto__"/],
    ],
    ['what is no character', { type: 'echo', payload: { deep: ['a\uffff'] } }, [/U\+FFFE or U\+FFFF/]],
    ['what is no character in a label', { type: 'echo', labels: { a: '\ufffe' } }, [/U\+FFFE and U\+FFFF/, /at labels.a/]],
    ['half of a character in a label', { type: 'echo', labels: { a: 'x\ud800' } }, [/half of a surrogate pair/, /at labels.a/]],
    ['half of a character in the key of a label', { type: 'echo', labels: { '\udfff': 'x' } }, [/labels/]],
    ['a day that is none', { type: 'echo', runAt: '2026-02-30T00:00:00Z' }, [/ISO datetime/]],
    ['a time without a zone', { type: 'echo', runAt: '2026-02-03T00:00:00' }, [/ISO datetime/]],
    [
      'a time that is too far away',
      { type: 'echo', runAt: '2031-01-05T00:00:00.001Z' },
      [/2031-01-05T00:00:00.001Z is too far away/, /latest is 2031-01-05T00:00:00.000Z/],
    ],
    ['an end before now', { type: 'echo', expiresAt: '2025-12-31T23:59:59Z' }, [/2025-12-31T23:59:59Z/, /2026-01-01T00:00:00.000Z/]],
    ['an end that is now', { type: 'echo', expiresAt: '2026-01-01T00:00:00Z' }, [/is not after the task's start/]],
    ['an end at its start', { type: 'echo', delaySeconds: 60, expiresAt: '2026-01-01T00:01:00Z' }, [/start at 2026-01-01T00:01:00.000Z/]],
    ['too many labels', { type: 'echo', labels: many(LIMITS.labels + 1) }, [/at most 10 labels/]],
    ['a label that is no text', { type: 'echo', labels: { a: 1 } }, [/expected string/, /labels.a/]],
    ['no attempts', { type: 'echo', retry: { maxAttempts: 0 } }, [/>=1/, /retry.maxAttempts/]],
    ['too many attempts', { type: 'echo', retry: { maxAttempts: LIMITS.attempts + 1 } }, [/<=100/]],
    [
      'a payload that is nested too deep',
      { type: 'echo', payload: nested(LIMITS.payloadDepth + 1) },
      [/deeper than 64 levels/, /flatten it/],
    ],
  ])('%s', (_, input, messages) => {
    const { code, message } = refusal(input);
    expect(code).toBe('bad_request');
    for (const expected of messages) expect(message).toMatch(expected);
  });

  it('a payload that is too large, in bytes of UTF-8', () => {
    const { code, message } = refusal({ type: 'echo', payload: '€'.repeat(LIMITS.payloadBytes / 3) });
    expect(code).toBe('payload_too_large');
    expect(message).toMatch(/is 1048577 bytes of JSON; at most 1048576 are allowed\. Put the input into an S3 object/);
  });

  // Typing errors in a retry policy are lost in silence, and a floor above the cap is taken: `retryOverrideSchema`
  // has to be strict and to compare the two as `retryPolicySchema` does.
  it.each([{ retry: { maxAttempt: 1 } }, { retry: { minDelaySeconds: 60, maxDelaySeconds: 1 } }])(
    'a retry policy that is none: %o',
    (given) => {
      expect(refusal({ type: 'echo', ...given }).code).toBe('bad_request');
    },
  );

  it('a payload that is nested so deep that it overflows the stack of whatever walks it', () => {
    expect(refusal({ type: 'echo', payload: nested(100_000) }).code).toBe('bad_request');
  });

  // RFC 8785 has no canonical form for these, so that the hash throws and the caller is told to try again, for ever.
  // JSON.parse makes Infinity of 1e400, and JSON.stringify then stores null. `checkSubmission` has to refuse both.
  it.each([
    ['a number beyond a double', '{"n":1e400}'],
    ['half a character', '"\\ud800"'],
  ])('a payload with %s', async (_, json) => {
    const world = createWorld();
    const [result] = await world.submit('a', { type: 'echo', payload: JSON.parse(json) });
    expect(result).toMatchObject({ ok: false, error: { code: 'bad_request', retryable: false } });
  });
});

describe('a submission that is accepted', () => {
  const DAY = 86_400_000;
  it.each<[string, Record<string, unknown>, { at: number; expiresAt?: number; json?: string }]>([
    ['starts now', {}, { at: T0, json: 'null' }],
    ['after a delay', { delaySeconds: 1.5 }, { at: T0 + 1_500 }],
    ['after the longest delay', { delaySeconds: LIMITS.delaySeconds }, { at: T0 + LIMITS.delaySeconds * 1000 }],
    ['at a time', { runAt: '2026-01-02T02:00:00+02:00' }, { at: T0 + DAY }],
    ['in the past, so now', { runAt: '1999-01-01T00:00:00Z' }, { at: T0 }],
    ['and ends a millisecond after its start', { expiresAt: '2026-01-01T00:00:00.001Z' }, { at: T0, expiresAt: T0 + 1 }],
    ['with null', { payload: null }, { at: T0, json: 'null' }],
    ['with false', { payload: false }, { at: T0, json: 'false' }],
    ['nested as deep as allowed', { payload: nested(LIMITS.payloadDepth) }, { at: T0 }],
    ['as large as allowed', { payload: 'x'.repeat(LIMITS.payloadBytes - 2) }, { at: T0 }],
    ['with as many labels as allowed', { labels: many(LIMITS.labels) }, { at: T0 }],
  ])('%s', (_, given, expected) => {
    expect(checkSubmission({ type: 'echo', ...given }, T0)).toMatchObject(expected);
  });
});
