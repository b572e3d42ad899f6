import { setTimeout as sleep } from 'node:timers/promises';
import { ScanCommand } from '@aws-sdk/lib-dynamodb';
import { bucketOfPartition } from '../../adapters/aws/keys.ts';
import { createBucketStore, createClients, type Clients } from '../../adapters/aws/index.ts';
import { systemRandom as random } from '../../adapters/system.ts';
import { MINUTE_MS, minuteOf } from '../../core/hints/timing.ts';
import type { BucketStore } from '../../core/ports/bucket-store.ts';
import type { Telemetry } from '../../core/ports/telemetry.ts';
import type { Host } from '../../local/host.ts';

/** So many minutes without anything are left to the tick, which walks over them. */
const WALKED_MINUTES = 120;
/** How often it is looked whether the tick has come, and for how long. */
const LOOK_MS = 50;
const LOOKS = 1_200;

const silent: Telemetry = { count: () => undefined, measure: () => undefined, log: () => undefined };

/**
 * Lets the host's clock jump to a time, ms since the epoch. A year has half a million minutes, in most of which nothing is
 * due: over these the cursors are moved at once, as as many ticks would have moved them. Resolves when the tick of the new
 * time has come. Whoever submits during a jump may be passed over; attempts that run meanwhile count as lost.
 * @throws Error when the time is past or the tick does not come
 */
export async function travelTo(host: Host, to: number): Promise<void> {
  if (!(to > host.now())) throw new Error(`it is ${new Date(host.now()).toISOString()}: a clock jumps only ahead`);
  const { endpoints, outputs } = host;
  const clients = createClients({
    dynamodbEndpoint: endpoints.dynamodb,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  const table = outputs['TableName'] ?? '';
  const buckets = createBucketStore(clients.dynamodb, { table, random, telemetry: silent });
  try {
    // The tick on the way: without cursors there is nothing to move.
    await ticked(buckets, host.now());
    for (const stop of [...stopsBefore(to, await bucketMinutes(clients, table), host.now()), to]) {
      const minutes = await bucketMinutes(clients, table);
      for (let shard = 0; shard < buckets.shards; shard++) await skipEmpty(buckets, shard, minutes, minuteOf(stop));
      if (stop > host.now()) host.jump(stop - host.now());
      await ticked(buckets, stop);
    }
  } finally {
    clients.dynamodb.destroy();
  }
}

/** The minutes of all buckets that there are, moved ones too, in order. */
async function bucketMinutes({ dynamodb }: Clients, TableName: string): Promise<readonly number[]> {
  const minutes = new Set<number>();
  let from: Record<string, unknown> | undefined;
  do {
    const { Items = [], LastEvaluatedKey } = await dynamodb.send(
      new ScanCommand({
        TableName,
        ConsistentRead: true,
        FilterExpression: 'begins_with(p, :bucket)',
        ExpressionAttributeValues: { ':bucket': 'W#' },
        ProjectionExpression: 'p',
        ExclusiveStartKey: from,
      }),
    );
    for (const { p } of Items) {
      const bucket = bucketOfPartition(String(p));
      if (bucket) minutes.add(bucket.minute);
    }
    from = LastEvaluatedKey;
  } while (from !== undefined);
  return [...minutes].sort((a, b) => a - b);
}

/** Where something is due after a long time of nothing: the minute before, in which it is moved. */
function stopsBefore(to: number, minutes: readonly number[], now: number): number[] {
  const later = minutes.filter((minute) => minute > minuteOf(now) + 1 && minute <= minuteOf(to));
  return later.filter((minute, n) => minute - (later[n - 1] ?? 0) > WALKED_MINUTES).map((minute) => (minute - 1) * MINUTE_MS);
}

/** Moves a cursor over the minutes before the first one with something in it, as far as that minute at most. */
async function skipEmpty(buckets: BucketStore, shard: number, minutes: readonly number[], target: number): Promise<void> {
  for (;;) {
    const cursor = await buckets.cursor(shard);
    if (cursor === undefined) return;
    const next = minutes.find((minute) => minute > cursor) ?? Infinity;
    const last = Math.min(next - 1, target);
    if (last <= cursor || (await buckets.advance(shard, cursor, last))) return;
  }
}

async function ticked(buckets: BucketStore, at: number): Promise<void> {
  for (let look = 0; look < LOOKS; look++) {
    const cursors = await Promise.all(Array.from({ length: buckets.shards }, (_, shard) => buckets.cursor(shard)));
    if (cursors.every((cursor) => cursor !== undefined && cursor > minuteOf(at))) return;
    await sleep(LOOK_MS);
  }
  throw new Error(`the tick of ${new Date(at).toISOString()} did not come within ${(LOOKS * LOOK_MS) / 1000} s`);
}
