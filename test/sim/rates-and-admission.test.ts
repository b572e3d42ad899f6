import { describe, expect, it } from 'vitest';
import type { Profile } from '../../sim/faults.ts';
import { runOnce, type RunResult } from '../../sim/run.ts';
import { RateBook } from '../../sim/checks/rate-book.ts';
import { createRateChecks } from '../../sim/checks/rates.ts';
import { forced, type Want } from '../helpers/forced.ts';

const BEGIN = Date.UTC(2026, 0, 1);

async function run(profile: Partial<Profile>, ...wants: readonly Want[]): Promise<RunResult> {
  const result = await runOnce({ source: forced(...wants), history: true, profile, workload: () => {} });
  expect(result.violations).toEqual([]);
  return result;
}

const secondsOf = (line: string): number => Number(line.trim().split(' ')[0]);
const linesOf = ({ history }: RunResult, ...parts: readonly string[]) =>
  history.filter((line) => parts.every((part) => line.includes(part)));

describe('a resource with rates', () => {
  it('has all that draw on it start at its pace', async () => {
    const result = await run({ rates: true });
    const starts = linesOf(result, 'run a/charge-', 'begins').map(secondsOf);
    expect(starts).toHaveLength(12);
    expect(result.seen.paced).toBe(12);
    // Five are there at first, and half of one comes each second.
    expect((starts[5] ?? 0) - (starts[0] ?? 0)).toBeGreaterThan(1.9);
    expect((starts[11] ?? 0) - (starts[0] ?? 0)).toBeGreaterThan(13.9);
    expect((starts[11] ?? 0) - (starts[0] ?? 0)).toBeLessThan(60);
  });

  it('may lose its rates by a deployment, and its lanes go on', async () => {
    const change = { what: 'change of rates', value: 4, nth: 1 };
    const result = await run({ rates: true, redeploys: true }, change);
    const [gone = ''] = linesOf(result, 'takes away the rates of metered');
    expect(secondsOf(gone)).toBe(20);
    expect(result.faults.get('rates-changed')).toBe(1);
    expect(result.states.get('succeeded')).toBe(12);
  });
});

describe('the reference of a rate', () => {
  it('takes starts by their times, in whatever order it hears of them', () => {
    const book = new RateBook({ limit: 2, perSeconds: 10 }, 0);
    expect(book.take(1, 20_000)).toBeGreaterThanOrEqual(0);
    expect(book.take(2, 10_000)).toBeGreaterThanOrEqual(0);
    expect(book.take(1, 20_000)).toBeGreaterThanOrEqual(0);
    expect(book.take(1, 12_000)).toBeLessThan(0);
  });

  it('finds a start that has taken nothing, and parts that are more than the whole', () => {
    const found: string[] = [];
    const spec = { type: 'charge', resources: ['metered'] } as never;
    const checks = createRateChecks({ now: () => 0, violated: (_, what) => void found.push(what), specOf: () => spec, skewMs: 0 });
    checks.deployed({ v: 1, resource: 'metered', concurrency: 9, rates: [{ limit: 5, perSeconds: 10 }] });
    const lane = { tenant: 'a', type: 'charge' };
    checks.started(lane, 'nonce');
    expect(found).toEqual(['a#charge starts an attempt that took nothing of metered in 10 s']);
    const grant = (tenant: string) => ({ v: 1, tenant, type: 'charge', rates: [{ limit: 3, perSeconds: 10 }] });
    checks.applied('divisions.putRates', [lane, grant('a')], undefined);
    checks.applied('divisions.putRates', [{ ...lane, tenant: 'b' }, grant('b')], undefined);
    expect(found.slice(1)).toEqual(['of metered 6 in 10 s are given away or left, and there are 5']);
  });
});

describe('admission', () => {
  it('refuses what is more than a tenant may submit; who comes again as told gets in, and nobody is refused for long', async () => {
    const result = await run({ admits: true }, { what: 'tasks', value: 2 });
    // Sixteen of any tenant may come at once.
    expect(result.seen.rateLimited).toBeGreaterThanOrEqual(9);
    const [first = ''] = linesOf(result, '25 of fast, turn 1');
    const [again = ''] = linesOf(result, 'of fast, turn 2');
    expect(secondsOf(again) - secondsOf(first)).toBeGreaterThanOrEqual(1);
    for (const tenant of ['a', 'fast', 'full']) {
      const endedAt = result.endedAt.get(`${tenant}/narrow-calm`) ?? Infinity;
      expect(endedAt - BEGIN, tenant).toBeLessThan(420_000);
    }
  });
});
