import { DeleteCommand, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { breakerKey, type Breaker, type TaskTypeSpec } from '@sluice/contracts';
import { breakerItemKey } from '../../../adapters/aws/keys.ts';
import { breakerOfItem } from '../../../adapters/aws/type-registry.ts';
import { newBreaker } from '../../../core/breakers/decide.ts';
import type { TypeName } from '../app/types.ts';
import type { Stage } from '../world/stage.ts';
import { withType } from './type-scenes.ts';

/** What is held for less than a minute is looked at in each tick. */
export const SHUT_MS = 50_000;
/** Longer ago than a breaker may be half open without a probe. */
export const IDLE_MS = 200_000;

/** Open, and probed from so many ms on. */
export function open(aheadMs: number): Partial<Breaker> {
  return { state: 'open', since: Date.now(), probeAt: Date.now() + aheadMs };
}

/** A task type of this run's own, as another one is, and its breaker, there before it. */
export async function withBreaker(
  stage: Stage,
  like: TypeName,
  breaker: Partial<Breaker>,
  run: (type: string) => Promise<void>,
  over: Partial<TaskTypeSpec> = {},
): Promise<void> {
  const before = async (type: string): Promise<void> => {
    if (breaker.state !== undefined) await writeBreaker(stage, type, breaker);
  };
  const running = async (type: string): Promise<void> => {
    try {
      await run(type);
      await stage.permitsReturned();
    } finally {
      await deleteBreaker(stage, type);
    }
  };
  await withType(stage, like, over, running, before);
}

export async function writeBreaker(
  { world: { clients, table: TableName } }: Stage,
  type: string,
  breaker: Partial<Breaker>,
): Promise<void> {
  const key = breakerKey(type);
  const now = Date.now();
  const made = { ...newBreaker(key, now), seq: 1, opening: 1, openedAt: now - IDLE_MS, pauseMs: 5_000, ...breaker };
  const Item = { ...breakerItemKey(key), v: 1, seq: made.seq, breaker: JSON.stringify(made) };
  await clients.dynamodb.send(new PutCommand({ TableName, Item }));
}

export async function stored({ world: { clients, table: TableName } }: Stage, type: string): Promise<Breaker | undefined> {
  const Key = breakerItemKey(breakerKey(type));
  const { Item: item } = await clients.dynamodb.send(new GetCommand({ TableName, Key, ConsistentRead: true }));
  return item && breakerOfItem(item);
}

export async function deleteBreaker(stage: Stage, type: string): Promise<void> {
  const { clients, table: TableName } = stage.world;
  await clients.dynamodb.send(new DeleteCommand({ TableName, Key: breakerItemKey(breakerKey(type)) }));
}
