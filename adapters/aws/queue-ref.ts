import type { Priority } from '@sluice/contracts';
import type { QueueRef, Shard } from '../../core/ports/hint-queue.ts';

/** The end of a queue's name, of its ARN and of its URL alike. */
export function nameOfQueue({ priority, shard }: QueueRef): string {
  return `${priority}-${shard}`;
}

/** The queue that an event source's ARN names. @throws when it is no shard queue: the function is wired to the wrong one. */
export function queueRefOfArn(arn: string): QueueRef {
  const [, priority, shard = ''] = /(high|normal|low)-(d?\d+)$/.exec(arn) ?? [];
  if (priority === undefined) throw new Error(`not a shard queue, whose name ends in <priority>-<shard>: ${arn}`);
  return { priority: priority as Priority, shard: shardOfName(shard) };
}

/** The shard that the end of a queue's name says: `7` of the shared pool, `d7` of a tenant's own queues. */
export function shardOfName(name: string): Shard {
  return name.startsWith('d') ? (name as Shard) : Number(name);
}
