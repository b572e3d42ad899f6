import Table from 'cli-table3';
import type { TaskView } from '@sluice/contracts';
import { quantile, timesOf } from './verify.ts';

export interface Refusal {
  readonly code: string;
  readonly detail: string;
}

export interface Report {
  readonly tasks: readonly TaskView[];
  readonly refusals: readonly Refusal[];
  readonly deduplicated: number;
  readonly unexpected: readonly string[];
  readonly seconds: number;
}

export function countBy<T>(items: readonly T[], key: (item: T) => string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const item of items) counts[key(item)] = (counts[key(item)] ?? 0) + 1;
  return counts;
}

/** The summary for people. */
export function printReport({ tasks, refusals, deduplicated, unexpected, seconds }: Report): void {
  const types = new Table({
    head: ['type', 'tasks', 'succeeded', 'failed', 'expired', 'attempts', 'throttled', 'waiting p50', 'p99', 'running p50', 'p99'],
    colAligns: ['left', ...Array.from({ length: 10 }, () => 'right' as const)],
    style: { head: [], border: [] },
  });
  for (const type of [...new Set(tasks.map((t) => t.type))].sort())
    types.push(
      rowOf(
        type,
        tasks.filter((t) => t.type === type),
      ),
    );
  console.log(types.toString());

  const refused = new Table({ head: ['refused', 'times', 'why'], colWidths: [20, 7, 90], wordWrap: true, style: { head: [], border: [] } });
  for (const [code, count] of Object.entries(countBy(refusals, (r) => r.code))) {
    refused.push([code, count, refusals.find((r) => r.code === code)?.detail.slice(0, 170) ?? '']);
  }
  console.log(refused.toString());
  for (const line of unexpected) console.log(`unexpected: ${line}`);
  console.log(
    `${tasks.length} tasks in ${seconds.toFixed(1)} s, ${deduplicated} repeats found their task, ${unexpected.length} unexpected`,
  );
}

function rowOf(type: string, tasks: readonly TaskView[]): (string | number)[] {
  const times = tasks.map(timesOf);
  const ms = (values: readonly (number | undefined)[], share: number) => {
    const value = quantile(
      values.filter((v) => v !== undefined),
      share,
    );
    return value === undefined ? '' : `${value} ms`;
  };
  const states = countBy(tasks, (t) => t.state);
  const sum = (key: 'attempts' | 'throttled') => tasks.reduce((total, task) => total + task[key], 0);
  const waiting = times.map((t) => t.waiting);
  const running = times.map((t) => t.running);
  return [
    type,
    tasks.length,
    states['succeeded'] ?? 0,
    states['failed'] ?? 0,
    states['expired'] ?? 0,
    sum('attempts'),
    sum('throttled'),
    ms(waiting, 0.5),
    ms(waiting, 0.99),
    ms(running, 0.5),
    ms(running, 0.99),
  ];
}
