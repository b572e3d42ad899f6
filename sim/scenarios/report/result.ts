/** One way to do it: ours or an alternative, and what came of it. */
export interface Way {
  readonly name: string;
  readonly numbers: Readonly<Record<string, number>>;
  /** Over time; each row has the field `seconds`. */
  readonly rows: readonly Readonly<Record<string, number>>[];
}

/** A number that is to be shown, of our own way. */
export interface Goal {
  readonly what: string;
  readonly value: number;
  readonly is: '<=' | '>=';
  readonly bound: number;
}

export interface Column {
  /** Of the numbers of each way. */
  readonly field: string;
  readonly label: string;
}

/** A panel of the plot: a field of the rows, a line for each way. */
export interface Panel {
  readonly field: string;
  readonly label: string;
  readonly log?: boolean;
}

export interface Result {
  readonly name: string;
  readonly title: string;
  readonly question: string;
  /** What is assumed, one sentence each. */
  readonly setup: readonly string[];
  readonly ways: readonly Way[];
  readonly columns: readonly Column[];
  readonly goals: readonly Goal[];
  readonly panels: readonly Panel[];
  /** What the numbers say, one sentence each. */
  readonly notes?: readonly string[];
  readonly seed: number;
  readonly virtualSeconds: number;
  /** Tasks that were submitted, in all ways. */
  readonly tasks: number;
}

export interface Options {
  readonly seed: number;
  /** A smaller one, for the tests. */
  readonly quick: boolean;
}

export interface Scenario {
  readonly name: string;
  readonly run: (options: Options) => Result;
}

export function isMet({ value, is, bound }: Goal): boolean {
  return is === '<=' ? value <= bound : value >= bound;
}

/** Four significant digits: what a seed can tell. */
export function rounded(value: number): number {
  return Number.isFinite(value) ? Number(value.toPrecision(4)) : value;
}
