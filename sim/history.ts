/** What happened, step by step. */
export interface History {
  readonly add: (who: string, what: string, fault?: string) => void;
  readonly lines: () => readonly string[];
}

export function createHistory(now: () => number, start: number): History {
  const lines: string[] = [];
  return {
    add: (who, what, fault) => {
      const at = ((now() - start) / 1000).toFixed(3).padStart(9);
      lines.push(`${at} s  ${who.padEnd(12)} ${what}${fault === undefined ? '' : `   ⟵ ${fault}`}`);
    },
    lines: () => lines,
  };
}
