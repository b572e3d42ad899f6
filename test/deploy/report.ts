import { readFileSync } from 'node:fs';

/** What one run has shown; the last line of `--json`. */
export interface Report {
  readonly tests: number;
  readonly passed: number;
  /** Titles. */
  readonly skipped: readonly string[];
  readonly failed: readonly string[];
  /** Calls that IAM refused. */
  readonly denied: number;
  /** Pairs of a role and an action that IAM judged and allowed: without any, nothing was judged. */
  readonly allowed: number;
  readonly bootstrapSeconds: number;
  readonly deploySeconds: number;
  readonly suiteSeconds: number;
  readonly destroySeconds: number;
}

type Counts = Pick<Report, 'tests' | 'passed' | 'skipped' | 'failed'>;

/** Reads vitest's JSON report. */
export function countsOf(file: string): Counts {
  const { testResults } = JSON.parse(readFileSync(file, 'utf8')) as VitestReport;
  const tests = testResults.flatMap(({ assertionResults }) => assertionResults);
  const titles = (...statuses: string[]): string[] =>
    tests.filter(({ status }) => statuses.includes(status)).map(({ fullName }) => fullName);
  // A file that could not be loaded failed as a whole.
  const broken = testResults.filter((each) => each.status === 'failed' && each.assertionResults.length === 0);
  return {
    tests: tests.length,
    passed: titles('passed').length,
    skipped: titles('skipped', 'pending', 'todo', 'disabled'),
    failed: [...titles('failed'), ...broken.map(({ name }) => name)],
  };
}

interface VitestReport {
  testResults: { name: string; status: string; assertionResults: { fullName: string; status: string }[] }[];
}

/** A call that IAM refused, as the launcher writes it, or as it came back to a function that printed it. */
const REFUSED = /IAM-DENIED (?<call>\{.*\})/;
const TOLD = /AccessDenied|not authorized to perform|UnrecognizedClient|InvalidClientTokenId/;

/**
 * The refused calls in MiniStack's log, one text each. Functions print what they were refused too, which counts only
 * where MiniStack itself wrote nothing.
 */
export function refusalsIn(log: string): string[] {
  const lines = readFileSync(log, 'utf8').split('\n');
  const calls = lines.flatMap((line) => REFUSED.exec(line)?.groups?.['call'] ?? []);
  return calls.length > 0 ? calls : lines.filter((line) => TOLD.test(line)).map((line) => line.trim().slice(0, 300));
}

/** How many pairs of a role and an action were allowed. */
export function allowedIn(log: string): number {
  return readFileSync(log, 'utf8').split('IAM-ALLOWED ').length - 1;
}

/** The most tests that may be skipped, as a part of all. */
const SKIPPED_AT_MOST = 0.1;

/** Why a run is no success. */
export function faultsOf(report: Report): string[] {
  const { tests, passed, skipped, failed, denied, allowed } = report;
  return [
    ...(tests === 0 ? ['no test ran'] : []),
    ...(failed.length > 0 ? [`${failed.length} failed: ${failed.join('; ')}`] : []),
    ...(passed + skipped.length < tests ? [`only ${passed} of ${tests} passed`] : []),
    ...(skipped.length > tests * SKIPPED_AT_MOST ? [`${skipped.length} of ${tests} were skipped, more than a tenth`] : []),
    ...(denied > 0 ? [`IAM refused ${denied} calls`] : []),
    ...(allowed === 0 ? ['IAM judged no call of a role: it was not enforced'] : []),
  ];
}
