import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasTotal, METRICS, metricNamespace, type MetricName, unitOf } from '@sluice/contracts';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const NAMES = Object.keys(METRICS) as MetricName[];

const source = globSync('{core,functions,adapters}/**/*.ts', { cwd: ROOT })
  .map((file) => readFileSync(join(ROOT, file), 'utf8'))
  .join('\n');

/** What calls of a method of telemetry name first, as patterns: an inserted expression stands for any words. */
function named(method: 'count' | 'measure'): RegExp[] {
  return [...source.matchAll(new RegExp(String.raw`telemetry\.${method}\(\s*(['"\`])(.+?)\1`, 'g'))].map(
    ([, , name = '']) => new RegExp(`^${name.replaceAll('.', '\\.').replaceAll(/\$\{.+?\}/g, '[a-z_]+')}$`),
  );
}

describe('METRICS', () => {
  it.each(NAMES)('%s has the same shape where functions look', (name) => {
    const { unit, total } = METRICS[name] as { unit: string; total?: true };
    expect(unitOf(name)).toBe(unit);
    expect(hasTotal(name)).toBe(total === true);
  });

  it('has every name that is counted or measured, as what it is', () => {
    for (const [method, kind] of [
      ['count', 'sum'],
      ['measure', 'values'],
    ] as const) {
      const patterns = named(method);
      expect(patterns.length).toBeGreaterThan(4);
      const wrong = patterns.filter((pattern) => !NAMES.some((name) => pattern.test(name) && METRICS[name].kind === kind));
      expect(wrong).toEqual([]);
    }
  });

  it('has no name that nothing writes', () => {
    const patterns = [...named('count'), ...named('measure')];
    const unwritten = NAMES.filter((name) => !patterns.some((pattern) => pattern.test(name)) && !source.includes(`'${name}'`));
    expect(unwritten).toEqual([]);
  });

  it('fits one line of metrics, and says of each what it means', () => {
    expect(NAMES.length).toBeLessThanOrEqual(100);
    for (const name of NAMES) {
      expect(name).toMatch(/^[a-z]+\.[a-z_]+$/);
      expect(METRICS[name].means.length).toBeGreaterThan(10);
      if (METRICS[name].kind === 'sum') expect(METRICS[name].unit).toBe('count');
    }
  });

  it('is in a namespace of its platform, in the characters that CloudWatch allows', () => {
    expect(metricNamespace('orders-2')).toBe('Sluice/orders-2');
    expect(metricNamespace('a')).not.toBe(metricNamespace('b'));
  });
});
