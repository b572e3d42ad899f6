import { resolve } from 'node:path';

export interface Edit {
  readonly file: string;
  /** A text that is in the file exactly once. */
  readonly find: string;
  readonly replace: string;
}

export const rootOf = resolve(import.meta.dirname, '../..');

/** The source with the edits made. @throws where a text is not there exactly once: the mutant is out of date. */
export function planted(mutant: string, source: string, edits: readonly Edit[]): string {
  return edits.reduce((text, { file, find, replace }) => {
    const times = text.split(find).length - 1;
    if (times !== 1)
      throw new Error(`mutant ${mutant}: "${find}" is ${times} times in ${file}, and must be once; bring the mutant up to date`);
    return text.replace(find, () => replace);
  }, source);
}
