interface Line {
  readonly who: string;
  readonly text: string;
  /** It says nothing by itself: a look at what is empty. */
  readonly idle: boolean;
}

/** What happened, step by step. */
export interface History {
  readonly add: (who: string, what: string, fault?: string) => void;
  /** Without the invocations that only looked and found nothing. */
  readonly lines: () => readonly string[];
}

const IDLE = /^(begins:|is done$|types\.read|buckets\.(cursor|read|advance)|backlog\.lanes|dead\.receive|tasks\.scan)/;

export function createHistory(now: () => number, start: number): History {
  const lines: Line[] = [];
  return {
    add: (who, what, fault) => {
      const at = ((now() - start) / 1000).toFixed(3).padStart(9);
      const text = `${at} s  ${who.padEnd(12)} ${what}${fault === undefined ? '' : `   ⟵ ${fault}`}`;
      lines.push({ who, text, idle: fault === undefined && IDLE.test(what) });
    },
    lines: () => {
      const busy = new Set(lines.filter(({ idle }) => !idle).map(({ who }) => who));
      return lines.filter(({ who }) => busy.has(who)).map(({ text }) => text);
    },
  };
}
