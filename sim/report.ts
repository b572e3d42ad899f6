import { SEEN, type Seen } from './checks/seen.ts';
import type { Violation } from './checks/checks.ts';
import { FAULT_KINDS, type FaultKind } from './faults.ts';
import type { RunResult } from './run.ts';

/** What many seeds came to. */
export interface Report {
  seeds: number;
  /** Generations that were accepted. */
  tasks: number;
  /** Faults that struck. */
  faults: number;
  lost: number;
  doubleSuccess: number;
  permitLeaks: number;
  stuck: number;
  /** Violations of every kind, those above included. */
  violations: number;
  /** Of real time. */
  seconds: number;
  invocations: number;
  steps: number;
  /** s of virtual time from the end of the faults until all was done, at most; without purged runs, which the audit ends. */
  doneWithin: number;
  byKind: Record<FaultKind, number>;
  byState: Record<string, number>;
  seen: Record<keyof Seen, number>;
  failures: { seed: number; violations: readonly Violation[] }[];
}

export function emptyReport(): Report {
  const byKind = Object.fromEntries(FAULT_KINDS.map((kind) => [kind, 0])) as Record<FaultKind, number>;
  const seen = Object.fromEntries(SEEN.map((name) => [name, 0])) as Record<keyof Seen, number>;
  const sums = { seeds: 0, tasks: 0, faults: 0, lost: 0, doubleSuccess: 0, permitLeaks: 0, stuck: 0, violations: 0 };
  return { ...sums, seconds: 0, invocations: 0, steps: 0, doneWithin: 0, byKind, byState: {}, seen, failures: [] };
}

const SUMS = ['seeds', 'tasks', 'faults', 'lost', 'doubleSuccess', 'permitLeaks', 'stuck', 'violations', 'invocations', 'steps'] as const;

export function addRun(report: Report, seed: number, run: RunResult): void {
  report.seeds += 1;
  report.tasks += run.tasks;
  report.invocations += run.invocations;
  report.steps += run.steps;
  if (!run.purged) report.doneWithin = Math.max(report.doneWithin, run.doneMs / 1000);
  for (const [kind, n] of run.faults) {
    report.faults += n;
    report.byKind[kind] += n;
  }
  for (const [state, n] of run.states) report.byState[state] = (report.byState[state] ?? 0) + n;
  for (const name of SEEN) report.seen[name] += run.seen[name];
  if (run.violations.length === 0) return;
  report.failures.push({ seed, violations: run.violations });
  for (const { kind } of run.violations) {
    report.violations += 1;
    if (kind === 'lost' || kind === 'doubleSuccess' || kind === 'permitLeaks' || kind === 'stuck') report[kind] += 1;
  }
}

export function addReport(report: Report, other: Report): void {
  for (const name of SUMS) report[name] += other[name];
  report.doneWithin = Math.max(report.doneWithin, other.doneWithin);
  for (const [kind, n] of Object.entries(other.byKind)) report.byKind[kind as FaultKind] += n;
  for (const [state, n] of Object.entries(other.byState)) report.byState[state] = (report.byState[state] ?? 0) + n;
  for (const name of SEEN) report.seen[name] += other.seen[name];
  report.failures.push(...other.failures);
}
