import type { Lane } from '../core/ports/permit-store.ts';
import type { PortCall } from './ports.ts';
import { laneKey } from '../core/permits/lane-key.ts';

/** The partition of the table that a call reads or writes; `undefined` for what is not in the table, or all of it. */
export function partitionOf({ at, args }: Pick<PortCall, 'at' | 'args'>): string | undefined {
  const [port = '', method = ''] = at.split('.');
  switch (port) {
    case 'tasks': {
      if (method === 'scan') return undefined;
      const row = args[0];
      return typeof row === 'string' ? `T#${row}#${String(args[1])}` : taskOf(row as { tenant: string; id: string });
    }
    case 'values':
      return method === 'url' ? undefined : `T#${String(args[0])}#${String(args[1])}`;
    case 'permits':
      return `C#${laneKey(args[0] as Lane)}#${String(args[1])}`;
    case 'backlog':
      return method === 'register' || method === 'lanes' || method === 'unregister' ? 'L' : `Q#${laneKey(args[0] as Lane)}`;
    case 'buckets':
      return method === 'put' || method === 'read' ? `W#${String(args[0])}#${String(args[1])}` : 'W';
    case 'starts':
      return method === 'add' || method === 'counted' ? `YS#${(args[0] as { type: string }).type}` : 'Y';
    default:
      return undefined;
  }
}

function taskOf({ tenant, id }: { tenant: string; id: string }): string {
  return `T#${tenant}#${id}`;
}
