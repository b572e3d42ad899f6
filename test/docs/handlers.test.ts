import { EVENT_AGE_SECONDS, LIMITS, retryPolicySchema } from '@sluice/contracts';
import { defineTask, EVENT_AND_RESULT_BYTES } from '@sluice/handler';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { leaseMs } from '../../core/dispatch/work.ts';
import { classOfName } from '../../core/outcomes/classify.ts';
import { backoffMs } from '../../core/retry/backoff.ts';
import { CHECK_SECONDS } from '../../packages/handler/src/control.ts';
import { graceMs } from '../../packages/handler/src/context.ts';
import { typeSpec } from '../helpers/world.ts';
import { ROOT, textOf } from './pages.ts';

const page = textOf('docs/handlers.md');
const words = page.replaceAll(/\s+/g, ' ');

describe('docs/handlers.md says', () => {
  it('every name of an error that has a class of its own, and no other', () => {
    const source = readFileSync(join(ROOT, 'core', 'outcomes', 'classify.ts'), 'utf8');
    const all = [...source.matchAll(/'([A-Z]\w+)',?/g)].map(([, name = '']) => name).filter((name) => classOfName(name) !== 'retryable');
    const named = (['fatal', 'throttled'] as const).flatMap((each) => {
      const [, cell = ''] = new RegExp(`^\\| ${each} \\| (.*) \\|$`, 'm').exec(page) ?? [];
      const names = [...cell.matchAll(/`(\w+)`/g)].map(([, name = '']) => name);
      expect(names.filter((name) => classOfName(name) !== each)).toEqual([]);
      return names;
    });
    expect(named.toSorted()).toEqual(all.toSorted());
    expect(named.length).toBeGreaterThan(10);
  });

  it('when a failed attempt is tried again by default', () => {
    const policy = retryPolicySchema.parse({});
    for (let failure = 1; failure < policy.maxAttempts; failure++) {
      const [least, most] = [0, 1].map((fraction) => backoffMs(policy, failure, fraction) / 1_000);
      expect(page).toContain(`| ${failure} | ${least} to ${most} s |`);
    }
    expect(page).toContain(`| ${policy.maxAttempts} | not: \`attempts_exhausted\` |`);
    const { minDelaySeconds, maxDelaySeconds, factor, maxAttempts } = policy;
    const defaults = `\`minDelaySeconds\` ${minDelaySeconds}, \`maxDelaySeconds\` ${maxDelaySeconds}, \`factor\` ${factor}, \`maxAttempts\` ${maxAttempts}`;
    expect(words).toContain(defaults);
  });

  it('how long an attempt has, and its lease', () => {
    expect(words).toContain(
      `at most ${LIMITS.timeoutSeconds / 60} minutes, with \`start: 'wait'\` at most ${LIMITS.waitTimeoutSeconds / 60}`,
    );
    expect(leaseMs(typeSpec('a', { timeoutSeconds: 30 }), 'wait')).toBe(90_000);
    expect(leaseMs(typeSpec('a', { timeoutSeconds: 30 }), 'event')).toBe(90_000 + EVENT_AGE_SECONDS * 1_000);
    expect(words).toContain(`The lease is \`timeout\` + 60 s, and ${EVENT_AGE_SECONDS} s more with \`start: 'event'\``);
    expect([graceMs(60_000), graceMs(1_000)]).toEqual([2_000, 100]);
  });

  it('how often the kit asks, and what it may be set to', () => {
    expect(words).toContain(`then every ${CHECK_SECONDS} s (\`checkSeconds\`, 1 to 300, or \`false\`)`);
    const task = (checkSeconds: number) => () => defineTask({ type: 'a', input: z.unknown(), run: () => 1, checkSeconds });
    for (const good of [1, 300]) expect(task(good)).not.toThrow();
    for (const bad of [0.9, 301]) expect(task(bad)).toThrow(/from 1 to 300/);
  });

  it('what sizes matter', () => {
    expect(words).toContain(`above ${EVENT_AND_RESULT_BYTES / 1_024} KB with its event`);
    expect(words).toContain(`for more than ${LIMITS.itemBytes.toLocaleString('en')} bytes`);
    expect(words).toContain(`at most ${LIMITS.retryAfterSeconds / 86_400} days`);
  });
});
