import type { Envelope, HintedTask, HintMessage, TaskEvent, TaskHint, TaskRow } from '@sluice/contracts';
import type { HintSend } from '../../core/ports/hint-queue.ts';
import type { RowChange, RowVersion } from '../../core/ports/task-store.ts';
import type { PendingCall } from './continuation.ts';

const hinted = (tasks: readonly HintedTask[]) => tasks.map((t) => `${t.id} seq ${t.seq}`).join(', ');
const sent = (hint: HintMessage | TaskHint) => (hint.kind === 'lane' ? `lane ${hint.type}` : hinted(hint.tasks));

/** A call as a reader of a history wants it: what it is about, no more. */
export function describeCall({ at, args }: PendingCall): string {
  const said = SAID[at]?.(...(args as never[]));
  return said === undefined ? at : `${at} ${said}`;
}

const SAID: Readonly<Record<string, (...args: never[]) => string>> = {
  'tasks.get': (_tenant: string, id: string) => id,
  'tasks.insert': (row: TaskRow) => row.id,
  'tasks.replace': (row: TaskRow, old: RowVersion) => `${row.id} in place of seq ${old.seq}`,
  'tasks.update': (_tenant: string, id: string, version: RowVersion, { set }: RowChange) =>
    `${id} seq ${version.seq}${version.state ? ` ${version.state}` : ''} -> ${set.state ?? Object.keys(set).join(', ')}`,
  'queue.send': (sends: readonly HintSend[]) =>
    sends.map(({ message, delaySeconds }) => `hint of ${sent(message)}${delaySeconds > 0 ? ` in ${delaySeconds} s` : ''}`).join('; '),
  'queue.giveBack': (_hint: unknown, seconds: number) => `for ${seconds} s`,
  'backlog.put': (_lane: unknown, tasks: readonly HintedTask[]) => hinted(tasks),
  'backlog.remove': (_lane: unknown, tasks: readonly HintedTask[]) => hinted(tasks),
  'buckets.put': (minute: number, _shard: number, _name: string, hint: TaskHint) => `${sent(hint)} into minute ${minute}`,
  'buckets.advance': (_shard: number, _from: number, to: number) => `to minute ${to}`,
  'buckets.read': (minute: number) => `minute ${minute}`,
  'events.publish': (events: readonly TaskEvent[]) => events.map((e) => `${e.id} ${e.state}`).join(', '),
  'starter.start': (_spec: unknown, mode: string, { sluice }: Envelope) => `${sluice.task} fence ${sluice.fence}, ${mode}`,
};
