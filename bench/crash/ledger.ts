import { TERMINAL_STATES, type TaskView } from '@sluice/contracts';

const TERMINAL: ReadonlySet<string> = new Set(TERMINAL_STATES);

/** What a list says of a task. */
export interface Seen {
  readonly id: string;
  readonly uid: string;
  readonly state: string;
  readonly attempts: number;
  readonly lost: number;
  readonly endedAt?: string | undefined;
}

interface Entry {
  /** As the answer to its submission named it. */
  readonly uid: string;
  /** The first terminal state that was seen, with all that a second end would change. */
  end?: { readonly state: string; readonly text: string } | undefined;
}

/**
 * Keeps what was promised and what was seen of it, outside of the platform:
 *
 * - Lost is what was accepted and never reaches a terminal state under the uid that its acceptance named.
 * - A double success is a task whose success was recorded twice, by any of three witnesses that know nothing of each
 *   other: a task that was seen succeeded and later with another uid, end or count of attempts (the second record
 *   replaced the first); the functions' own log, which says `succeeded` for a task a second time; and a timeline in the
 *   end with two successes that are not marked late, or a result of another attempt than the one that it names.
 */
export class Ledger {
  private readonly entries = new Map<string, Entry>();
  private readonly logged = new Map<string, number>();
  private readonly doubles = new Set<string>();
  private ended = 0;

  accept(tenant: string, id: string, uid: string): void {
    this.entries.set(`${tenant}/${id}`, { uid });
  }

  /** Notes a line of the server's log. */
  line(text: string): void {
    const [, tenant, id] = /^[\d:.]+ (\S+)\s+\S+\s+(\S+)\s+succeeded\b/.exec(text) ?? [];
    if (tenant === undefined) return;
    const key = `${tenant}/${id}`;
    const times = (this.logged.get(key) ?? 0) + 1;
    this.logged.set(key, times);
    if (times > 1) this.doubles.add(key);
  }

  see(tenant: string, { id, uid, state, attempts, endedAt }: Seen): void {
    const key = `${tenant}/${id}`;
    const entry = this.entries.get(key);
    if (entry === undefined) return;
    const text = JSON.stringify([uid, state, endedAt, attempts]);
    if (entry.end?.state === 'succeeded' && entry.end.text !== text) this.doubles.add(key);
    if (entry.end !== undefined || uid !== entry.uid || !TERMINAL.has(state)) return;
    entry.end = { state, text };
    this.ended += 1;
  }

  /** Looks into a task that has ended. */
  inspect(tenant: string, task: TaskView): void {
    const successes = task.timeline.attempts.filter(({ outcome, late }) => outcome === 'succeeded' && late !== true);
    const fence = (task.result as { fence?: unknown } | undefined)?.fence;
    const isOfAnother = task.state === 'succeeded' && fence !== successes[0]?.fence;
    if (successes.length > 1 || isOfAnother) this.doubles.add(`${tenant}/${task.id}`);
  }

  get accepted(): number {
    return this.entries.size;
  }

  get terminal(): number {
    return this.ended;
  }

  /** Successes that the log told of so far: what was said in the moment of a kill is missing. */
  get succeededInLog(): number {
    return this.logged.size;
  }

  get doubleSuccess(): readonly string[] {
    return [...this.doubles];
  }

  get lost(): readonly string[] {
    return [...this.entries].filter(([, { end }]) => end === undefined).map(([key]) => key);
  }

  states(): Record<string, number> {
    const states: Record<string, number> = {};
    for (const { end } of this.entries.values()) if (end !== undefined) states[end.state] = (states[end.state] ?? 0) + 1;
    return states;
  }
}
