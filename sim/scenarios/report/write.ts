import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { plot } from './plot.ts';
import { isMet, type Goal, type Result, rounded } from './result.ts';

/** What a scenario comes to, as JSON: the numbers of each way, and each goal with its value. */
export function summary({ name, seed, virtualSeconds, tasks, ways, goals }: Result) {
  return {
    name,
    seed,
    virtualSeconds,
    tasks,
    numbers: Object.fromEntries(ways.map((way) => [way.name, roundedAll(way.numbers)])),
    goals: goals.map((goal) => ({ ...goal, value: rounded(goal.value), met: isMet(goal) })),
  };
}

function roundedAll(numbers: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(numbers).map(([field, value]) => [field, rounded(value)]));
}

/** Writes the page and the plot of a result. */
export async function writeResult(folder: string, result: Result): Promise<void> {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${result.name}.md`), page(result));
  writeFileSync(join(folder, `${result.name}.svg`), await plot(result));
}

export function page(result: Result): string {
  const { name, title, question, setup, ways, columns, goals, notes = [], seed, virtualSeconds, tasks } = result;
  const lines = [
    `# ${title}`,
    '',
    question,
    '',
    `![${title}](${name}.svg)`,
    '',
    table(
      ['', ...columns.map(({ label }) => label)],
      ways.map((way) => [way.name, ...columns.map(({ field }) => text(way.numbers[field]))]),
    ),
    '',
    ...(goals.length > 0 ? ['## What it is to show', '', table(['', 'measured', 'goal', ''], goals.map(goalRow)), ''] : []),
    ...(notes.length > 0 ? ['## What it says', '', ...notes.map((note) => `- ${note}`), ''] : []),
    '## What is assumed',
    '',
    ...setup.map((sentence) => `- ${sentence}`),
    `- ${span(virtualSeconds)} of virtual time, ${tasks.toLocaleString('en')} tasks in all, seed ${seed}. Of the services, see`,
    '  [parameters.ts](../../sim/scenarios/parameters.ts).',
    '',
    '```sh no-run: takes its time',
    `npm run sim:scenarios -- ${name}`,
    '```',
    '',
  ];
  return lines.join('\n');
}

function goalRow(goal: Goal): string[] {
  const { what, value, is, bound } = goal;
  return [what, text(value), `${is === '<=' ? '≤' : '≥'} ${text(bound)}`, isMet(goal) ? 'met' : '**missed**'];
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n');
}

export function text(value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return '–';
  return Number.isFinite(value) ? rounded(value).toLocaleString('en', { maximumFractionDigits: 6 }) : '∞';
}

function span(seconds: number): string {
  if (seconds >= 7_200) return `${rounded(seconds / 3_600)} hours`;
  return seconds >= 120 ? `${rounded(seconds / 60)} minutes` : `${seconds} seconds`;
}
