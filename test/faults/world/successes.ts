import type { HostLogEntry } from '../../../local/host.ts';

/** Counts the successes that the functions' own log tells of: one a generation. */
export class Successes {
  private readonly byUid = new Map<string, number>();

  note({ message }: HostLogEntry): void {
    if (!message.includes('"step":"succeeded"')) return;
    for (const line of message.split('\n')) {
      const [, uid] = /"step":"succeeded".*"uid":"(\w+)"/.exec(line) ?? [];
      if (uid !== undefined) this.byUid.set(uid, (this.byUid.get(uid) ?? 0) + 1);
    }
  }

  of(uid: string): number {
    return this.byUid.get(uid) ?? 0;
  }
}
