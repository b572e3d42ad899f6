import { describe, expect, it } from 'vitest';
import { matchesPattern, validatePattern } from '../../local/events/pattern.ts';

const event = { source: 'sluice', detail: { state: 'failed', attempts: 3, labels: ['a', 'b'], owner: null, nested: { deep: 'Value' } } };

describe('an event pattern', () => {
  it.each([
    [{ source: ['sluice'] }, true],
    [{ source: ['other'] }, false],
    [{ source: ['other', 'sluice'] }, true],
    [{ source: ['sluice'], detail: { state: ['failed'] } }, true],
    [{ source: ['sluice'], detail: { state: ['succeeded'] } }, false],
    [{ detail: { labels: ['b'] } }, true],
    [{ detail: { owner: [null] } }, true],
    [{ detail: { state: [{ prefix: 'fa' }] } }, true],
    [{ detail: { state: [{ suffix: 'ed' }] } }, true],
    [{ detail: { state: [{ prefix: 'x' }] } }, false],
    [{ detail: { state: [{ 'anything-but': ['succeeded'] }] } }, true],
    [{ detail: { state: [{ 'anything-but': 'failed' }] } }, false],
    [{ detail: { state: [{ 'anything-but': { prefix: 'fa' } }] } }, false],
    [{ detail: { missing: [{ exists: false }] } }, true],
    [{ detail: { state: [{ exists: true }] } }, true],
    [{ detail: { state: [{ exists: false }] } }, false],
    [{ gone: { branch: [{ exists: false }] } }, true],
    [{ detail: { attempts: [{ numeric: ['>', 2, '<=', 3] }] } }, true],
    [{ detail: { attempts: [{ numeric: ['=', 4] }] } }, false],
    [{ detail: { nested: { deep: [{ 'equals-ignore-case': 'value' }] } } }, true],
    [{ detail: { state: [{ wildcard: 'f*d' }] } }, true],
    [{ $or: [{ source: ['x'] }, { detail: { attempts: [3] } }] }, true],
  ])('%j matches: %s', (pattern, expected) => {
    expect(matchesPattern(pattern, event)).toBe(expected);
  });

  it('with an operator that is not known is refused', () => {
    expect(() => validatePattern({ detail: { ip: [{ cidr: '10.0.0.0/8' }] } }, 'Rule')).toThrow(/Rule uses .* cidr/);
  });
});
