import { grantSchema, type Grant } from '@sluice/contracts';
import { DeleteCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { DivisionStore } from '../../core/ports/division-store.ts';
import { answerOf, conditionalAnswerOf, type Item } from './answers.ts';
import { divisionLeaseKey, grantKey, grantPartitions } from './keys.ts';
import { readPartition } from './partition.ts';
import { createRateGrants } from './rate-grants.ts';

const FREE = 'attribute_not_exists(holder) OR holder = :holder OR ends <= :now';
const OURS = 'holder = :holder';

/** Grants in DynamoDB, a small item a lane, and the lease of whoever divides. */
export function createDivisionStore(client: DynamoDBDocumentClient, config: { readonly table: string }): DivisionStore {
  const { table: TableName } = config;
  const lease = (what: string, UpdateExpression: string, ConditionExpression: string, values: Item) =>
    conditionalAnswerOf(
      what,
      client.send(
        new UpdateCommand({
          TableName,
          Key: divisionLeaseKey,
          UpdateExpression,
          ConditionExpression,
          ExpressionAttributeValues: values,
          ReturnValues: 'ALL_OLD',
        }),
      ),
    );
  return {
    ...createRateGrants(client, config),
    begin: async (holder, now, until) => {
      const values = { ':holder': holder, ':now': now, ':until': until, ':one': 1 };
      const taken = await lease(
        'take the lease of control',
        'SET holder = :holder, ends = :until REMOVE again ADD round :one',
        FREE,
        values,
      );
      if (taken.met) return Number(taken.output.Attributes?.['round'] ?? 0) + 1;
      // Given back meanwhile: the minute's round comes anyway.
      await lease('ask the holder of the lease', 'SET again = :one', 'attribute_exists(holder)', { ':one': 1 });
      return undefined;
    },
    extend: async (holder, until) =>
      (await lease('extend the lease of control', 'SET ends = :until', OURS, { ':holder': holder, ':until': until })).met,
    end: async (holder) => {
      const given = await lease('give back the lease of control', 'REMOVE holder, again', OURS, { ':holder': holder });
      return given.met && given.output.Attributes?.['again'] !== undefined;
    },
    grants: async () => {
      const parts = await Promise.all(grantPartitions().map((partition) => readPartition(client, 'read grants', TableName, partition)));
      return parts.flat().map(grantOf);
    },
    put: async (lane, { v, shares, closed, idleSince }) => {
      const item = { ...grantKey(lane), v, n: [...shares], closed, idle: idleSince };
      await answerOf('write a grant', client.send(new PutCommand({ TableName, Item: item })));
    },
    remove: async (lane) => {
      await answerOf('remove a grant', client.send(new DeleteCommand({ TableName, Key: grantKey(lane) })));
    },
  };
}

function grantOf({ s, v, n, closed, idle }: Item): Grant {
  const [tenant, type] = String(s).split('#');
  return grantSchema.parse({ v, tenant, type, shares: n, closed, idleSince: idle });
}
