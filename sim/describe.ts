import type { HintedTask, TaskHint, TaskRow } from '@sluice/contracts';
import type { HintSend } from '../core/ports/hint-queue.ts';
import type { Lane, Permit } from '../core/ports/permit-store.ts';
import type { RowChange, RowVersion, WriteResult } from '../core/ports/task-store.ts';
import type { PortCall } from './ports.ts';
import { laneKey } from '../core/permits/lane-key.ts';

type Call = Pick<PortCall, 'at' | 'args'>;

/** A call with the arguments that matter. */
export function describeCall({ at, args }: Call): string {
  switch (at) {
    case 'tasks.update': {
      const [tenant, id, { seq }, { set }] = args as [string, string, RowVersion, RowChange];
      const cancel = set.cancelAt === undefined ? '' : ' cancelling';
      return `${at} ${tenant}/${id} seq ${seq} → ${seq + 1}${set.state === undefined ? '' : ` ${set.state}`}${cancel}`;
    }
    case 'tasks.insert':
    case 'tasks.replace':
    case 'tasks.archive': {
      const row = args[0] as TaskRow;
      return `${at} ${row.tenant}/${row.id} uid ${short(row.uid)}`;
    }
    case 'queue.send':
      return `${at} ${(args[0] as HintSend[]).map(describeSend).join('; ')}`;
    case 'queue.giveBack':
      return `${at} for ${String(args[1])} s`;
    case 'buckets.put':
      return `${at} minute ${String(args[0])}: ${(args[3] as TaskHint).tasks.map(describeHint).join(', ')}`;
    case 'buckets.advance':
      return `${at} shard ${String(args[0])} → ${String(args[2])}`;
    case 'permits.acquire':
    case 'permits.release':
      return `${at} ${laneKey(args[0] as Lane)} cell ${String(args[1])}: ${(args[2] as Permit[]).map((p) => p.nonce.slice(0, 4)).join(', ')}`;
    case 'permits.clear':
      return `${at} ${laneKey(args[0] as Lane)} cell ${String(args[1])} version ${String(args[2])}`;
    case 'backlog.put':
    case 'backlog.remove':
      return `${at} ${laneKey(args[0] as Lane)}: ${(args[1] as HintedTask[]).map(describeHint).join(', ')}`;
    case 'starter.start': {
      const { sluice } = args[2] as { sluice: { tenant: string; task: string; fence: number } };
      return `${at} ${sluice.tenant}/${sluice.task} fence ${sluice.fence}`;
    }
    case 'events.publish':
      return `${at} ${(args[0] as { eventId: string }[]).map(({ eventId }) => short(eventId)).join(', ')}`;
    default:
      return `${at} ${args.map(describeArgument).join(' ')}`.trimEnd();
  }
}

/** What came of it, where that matters. */
export function describeAnswer(at: string, answer: unknown): string {
  if (at.startsWith('tasks.') && isWrite(answer)) {
    const { applied, row } = answer;
    return applied ? '' : `: refused, it is ${row ? `${row.state} seq ${row.seq} uid ${short(row.uid)}` : 'gone'}`;
  }
  if (at === 'tasks.get') {
    const row = answer as TaskRow | undefined;
    return `: ${row ? `${row.state} seq ${row.seq}` : 'none'}`;
  }
  if (at === 'permits.acquire') return (answer as { granted: boolean }).granted ? '' : ': refused';
  if (at === 'starter.start') return `: ${(answer as { kind: string }).kind}`;
  if (at === 'backlog.first') return `: ${(answer as HintedTask[]).map(describeHint).join(', ') || 'empty'}`;
  if (at === '' && Array.isArray(answer) && answer.length > 0 && typeof answer[0] === 'string') return `, ${answer.length} stay`;
  return '';
}

export function describeHint({ id, uid, seq }: HintedTask): string {
  return `${id} ${short(uid)} seq ${seq}`;
}

function describeSend({ message, delaySeconds }: HintSend): string {
  const what = message.kind === 'lane' ? `lane ${laneKey(message)}` : message.tasks.map(describeHint).join(', ');
  return delaySeconds > 0 ? `${what} in ${delaySeconds} s` : what;
}

function describeArgument(arg: unknown): string {
  if (typeof arg === 'string' || typeof arg === 'number') return String(arg);
  if (typeof arg === 'object' && arg !== null && 'tenant' in arg && 'type' in arg) return laneKey(arg as Lane);
  return '';
}

function isWrite(answer: unknown): answer is WriteResult {
  return typeof answer === 'object' && answer !== null && 'applied' in answer;
}

/** The end of a uid, and what follows it: enough to tell generations apart. */
export function short(uid: string): string {
  return `…${uid.slice(22)}`;
}
