import type { HostLogEntry } from '../../local/host.ts';
import { problemOf } from './log-format.ts';

/** Something that went wrong. */
export interface Problem {
  /** ms since the epoch. */
  readonly at: number;
  /** A function, or a part of the host. */
  readonly from: string;
  readonly text: string;
}

const KEPT = 20;
/** Characters of one that are kept. */
const MAX_TEXT = 500;

/** Keeps the last things that went wrong. */
export class Problems {
  private readonly titleOf: (functionName: string) => string;
  private kept: Problem[] = [];

  constructor(titleOf: (functionName: string) => string) {
    this.titleOf = titleOf;
  }

  note(entry: HostLogEntry): void {
    const text = problemOf(entry);
    if (text === undefined) return;
    const { time: at, functionName, source } = entry;
    const from = functionName === undefined ? source : this.titleOf(functionName);
    this.kept = [{ at, from, text: text.slice(0, MAX_TEXT) }, ...this.kept].slice(0, KEPT);
  }

  /** The newest first. */
  list(): readonly Problem[] {
    return this.kept;
  }
}
