import { PRIORITIES, type Priority } from '@sluice/contracts';
import { Duration } from 'aws-cdk-lib';

/** The physical name of a shard queue. Functions build a queue's URL from the same parts. */
export function shardQueueName(name: string, priority: Priority, shard: number): string {
  return `${name}-${priority}-${shard}`;
}

/** The physical name of the dead-letter queue of all shard queues. */
export function hintsDeadName(name: string): string {
  return `${name}-hints-dead`;
}

/** Patterns of the names of all shard queues, of any number of shards. */
export function shardQueuePatterns(name: string): string[] {
  return PRIORITIES.map((priority) => `${name}-${priority}-*`);
}

/**
 * How long dispatch may run, and for which a message that it has received stays hidden: a message must not come back
 * while its batch is still at work, and should come back as soon as possible after a crash.
 */
export const DISPATCH_TIMEOUT = Duration.seconds(180);

/** Messages of one invocation of dispatch or settle: the largest batch that needs no batching window. */
export const BATCH_SIZE = 10;

/** SQS keeps no message longer; each hint is made again long before that. */
export const MESSAGE_RETENTION = Duration.days(14);

/**
 * Receives until a hint moves to the dead-letter queue. A receive that Lambda throttled counts too, so it is far above
 * what a healthy hint meets; the timers function hints again what arrives there.
 */
export const HINT_RECEIVES = 1_000;

/** How long the timers function may hold messages of the dead-letter queue: the time that it may run. */
export const TIMERS_TIMEOUT = Duration.minutes(5);

/** The most shards: the pool's stack outputs an ARN a queue and a template has at most 200 outputs. */
export const MAX_SHARDS = 64;
