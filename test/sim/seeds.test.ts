import { expect, it } from 'vitest';
import { COSTS_COUNTS, isExact } from '../../sim/checks/exact.ts';
import { SEEN } from '../../sim/checks/seen.ts';
import { FAULT_KINDS } from '../../sim/faults.ts';
import { addRun, emptyReport } from '../../sim/report.ts';
import { DONE_WITHIN_MS } from '../../sim/run.ts';
import { runSeed } from '../../sim/seed.ts';

const SEEDS = 60;
/** Those in which nothing strikes that may cost a count. */
const EXACT_SEEDS = 6;

it(`keeps every promise through ${SEEDS} histories of everything that services do`, async () => {
  const report = emptyReport();
  for (let seed = 1; seed <= SEEDS; seed++) addRun(report, seed, await runSeed(seed));
  expect(report.failures).toEqual([]);
  expect(report).toMatchObject({ seeds: SEEDS, lost: 0, doubleSuccess: 0, permitLeaks: 0, stuck: 0, violations: 0 });
  expect(report.doneWithin).toBeLessThan(DONE_WITHIN_MS / 1000);
  // So that it can't pass by doing nothing.
  expect(report.tasks).toBeGreaterThan(SEEDS * 10);
  expect(FAULT_KINDS.filter((kind) => report.byKind[kind] === 0)).toEqual([]);
  for (const what of SEEN) expect(report.seen[what], what).toBeGreaterThan(0);
  for (const state of ['waiting', 'running', 'cancelling', 'succeeded', 'failed', 'expired', 'cancelled']) {
    expect(report.byState[state], state).toBeGreaterThan(0);
  }
}, 180_000);

it(`counts each end in ${EXACT_SEEDS} histories in which whoever writes an end lives to count it`, async () => {
  const only = new Set(FAULT_KINDS.filter((kind) => !COSTS_COUNTS.includes(kind)));
  const report = emptyReport();
  let exact = 0;
  for (let seed = 1; seed <= EXACT_SEEDS; seed++) {
    const run = await runSeed(seed, { only });
    addRun(report, seed, run);
    if (isExact(run.faults)) exact += 1;
  }
  expect(report.failures).toEqual([]);
  expect(exact).toBeGreaterThan(EXACT_SEEDS / 2);
  for (const state of ['failed', 'expired', 'cancelled']) expect(report.byState[state], state).toBeGreaterThan(0);
}, 60_000);
