import type { Breaker } from '@sluice/contracts';
import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { BreakerStore } from '../../core/ports/breaker-store.ts';
import type { Clock } from '../../core/ports/clock.ts';
import { answerOf, conditionalAnswerOf, type Item } from './answers.ts';
import { breakerItemKey } from './keys.ts';
import { breakerOfItem, type KnownBreakers } from './type-registry.ts';

/** Nobody has written since it was read. */
const SAME_SEQ = 'seq = :seq';
const NONE = 'attribute_not_exists(p)';

/** Seconds that a closed breaker is kept: what it remembers of crashes is older then than anybody looks back. */
const CLOSED_KEPT_SECONDS = 86_400;

export interface BreakerStoreConfig {
  readonly table: string;
  readonly clock: Clock;
  /** Where breakers are read in the background, with the task types. */
  readonly known: KnownBreakers;
}

/** Breakers in DynamoDB, beside the task types. What this environment reads or writes itself, it knows at once. */
export function createBreakerStore(client: DynamoDBDocumentClient, config: BreakerStoreConfig): BreakerStore {
  const { table: TableName, clock, known } = config;
  const own = new Map<string, Breaker>();

  // By time first: one that was gone for a while begins again at the first seq.
  const newer = (a: Breaker | undefined, b: Breaker | undefined): Breaker | undefined =>
    a && (!b || a.since > b.since || (a.since === b.since && a.seq > b.seq)) ? a : b;
  const keep = (breaker: Breaker | undefined): Breaker | undefined => {
    if (breaker) own.set(breaker.key, newer(own.get(breaker.key), breaker) ?? breaker);
    return breaker;
  };
  const latest = async (): Promise<ReadonlyMap<string, Breaker>> => {
    const read = await known.breakers();
    const keys = new Set([...read.keys(), ...own.keys()]);
    return new Map(
      [...keys].flatMap((key): [string, Breaker][] => {
        const breaker = newer(own.get(key), read.get(key));
        return breaker && breaker.state !== 'closed' ? [[key, breaker]] : [];
      }),
    );
  };

  const read = async (key: string): Promise<Breaker | undefined> => {
    const command = new GetCommand({ TableName, Key: breakerItemKey(key), ConsistentRead: true });
    const { Item: item } = await answerOf('read a breaker', client.send(command));
    // Gone by its time to live, it begins anew.
    if (!item) own.delete(key);
    return keep(item && breakerOfItem(item));
  };

  return {
    known: async (key) => (await latest()).get(key),
    notClosed: async () => [...(await latest()).values()],
    read,
    write: async (breaker) => {
      const before = breaker.seq - 1;
      const item: Item = { ...breakerItemKey(breaker.key), v: 1, seq: breaker.seq, breaker: JSON.stringify(breaker) };
      const ttl = Math.ceil(clock.now() / 1000) + CLOSED_KEPT_SECONDS;
      const command = new PutCommand({
        TableName,
        Item: { ...item, ...(breaker.state === 'closed' && { ttl }) },
        ConditionExpression: before === 0 ? NONE : SAME_SEQ,
        ...(before > 0 && { ExpressionAttributeValues: { ':seq': before } }),
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      });
      const answer = await conditionalAnswerOf('write a breaker', client.send(command));
      if (answer.met) return { applied: true, breaker: keep(breaker) };
      return { applied: false, breaker: answer.found ? keep(breakerOfItem(answer.found)) : await read(breaker.key) };
    },
  };
}
