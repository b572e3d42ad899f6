import { runCountsSchema, type StartChoice } from '@sluice/contracts';
import { DeleteCommand, GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { Clock } from '../../core/ports/clock.ts';
import type { StartStore } from '../../core/ports/start-store.ts';
import { answerOf, conditionalAnswerOf, type Item } from './answers.ts';
import { runCountsKey, startChoiceKey } from './keys.ts';
import type { KnownStarts } from './type-registry.ts';

/** Nobody has written since it was read. */
const SAME = 'since = :since';
const NONE = 'attribute_not_exists(p)';

/** Seconds that counts are kept after the last run that was added. */
const COUNTS_KEPT_SECONDS = 30 * 86_400;

export interface StartStoreConfig {
  readonly table: string;
  readonly clock: Clock;
  /** Where choices are read in the background, with the task types. */
  readonly known: KnownStarts;
}

/** Choices in DynamoDB beside the task types, and what was measured in an item of its own for each of them. */
export function createStartStore(client: DynamoDBDocumentClient, config: StartStoreConfig): StartStore {
  const { table: TableName, clock, known } = config;
  return {
    known: async (type) => (await known.starts()).get(type),
    all: async () => [...(await known.starts()).values()],
    write: async (next, before) => {
      const item: Item = { ...startChoiceKey(next.type), v: 1, since: next.since, choice: JSON.stringify(next) };
      const command = new PutCommand({
        TableName,
        Item: item,
        ConditionExpression: before ? SAME : NONE,
        ...(before && { ExpressionAttributeValues: { ':since': before.since } }),
      });
      return (await conditionalAnswerOf('write how a type is started', client.send(command))).met;
    },
    remove: async ({ type, since }: StartChoice) => {
      const command = new DeleteCommand({
        TableName,
        Key: startChoiceKey(type),
        ConditionExpression: SAME,
        ExpressionAttributeValues: { ':since': since },
      });
      await conditionalAnswerOf('forget how a type is started', client.send(command));
    },
    add: async (choice, { runs, slow, long }) => {
      const command = new UpdateCommand({
        TableName,
        Key: runCountsKey(choice),
        UpdateExpression: 'SET v = :v, #ttl = :ttl ADD runs :runs, slow :slow, #long :long',
        ExpressionAttributeNames: { '#ttl': 'ttl', '#long': 'long' },
        ExpressionAttributeValues: {
          ':v': 1,
          ':ttl': Math.ceil(clock.now() / 1000) + COUNTS_KEPT_SECONDS,
          ':runs': runs,
          ':slow': slow,
          ':long': long,
        },
      });
      await answerOf('tell run times', client.send(command));
    },
    counted: async (choice) => {
      const command = new GetCommand({ TableName, Key: runCountsKey(choice), ConsistentRead: true });
      const { Item: item } = await answerOf('read run times', client.send(command));
      return runCountsSchema.parse({ runs: 0, slow: 0, long: 0, ...item });
    },
  };
}
