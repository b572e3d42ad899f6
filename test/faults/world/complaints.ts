import type { HostLogEntry } from '../../../local/host.ts';

/** What no function ever has a reason to say: it was given something that nobody could have meant. */
const NEVER = ['unreadable hint', 'unreadable control message', 'is a reserved key'];

/** Finds in the functions' own log what should not be there. */
export class Complaints {
  private readonly found = new Map<string, string>();

  note({ message }: HostLogEntry): void {
    const what = NEVER.find((each) => message.includes(each));
    if (what !== undefined && !this.found.has(what)) this.found.set(what, message);
  }

  list(): string[] {
    return [...this.found].map(([what, message]) => `a function says "${what}": ${message.slice(0, 1_500)}`);
  }
}
