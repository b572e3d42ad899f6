import { rateGrantSchema, rateRestSchema, type RateGrant, type RateRest } from '@sluice/contracts';
import { DeleteCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { DivisionStore } from '../../core/ports/division-store.ts';
import { answerOf, type Item } from './answers.ts';
import { RATE_RESTS_PARTITION, rateGrantKey, rateGrantPartitions, rateRestKey } from './keys.ts';
import { readPartition } from './partition.ts';

type RateGrants = Pick<DivisionStore, 'rateGrants' | 'putRates' | 'removeRates' | 'rateRests' | 'putRest' | 'removeRest'>;

/** What lanes have of resources' rates, a small item each, and what these have left. */
export function createRateGrants(client: DynamoDBDocumentClient, { table: TableName }: { readonly table: string }): RateGrants {
  return {
    rateGrants: async () => {
      const parts = await Promise.all(
        rateGrantPartitions().map((partition) => readPartition(client, 'read grants of rates', TableName, partition)),
      );
      return parts.flat().map(grantOf);
    },
    putRates: async (lane, { v, rates }) => {
      const item = { ...rateGrantKey(lane), v, rates: [...rates] };
      await answerOf('write a grant of rates', client.send(new PutCommand({ TableName, Item: item })));
    },
    removeRates: async (lane) => {
      await answerOf('remove a grant of rates', client.send(new DeleteCommand({ TableName, Key: rateGrantKey(lane) })));
    },
    rateRests: async () => (await readPartition(client, 'read what is left of rates', TableName, RATE_RESTS_PARTITION)).map(restOf),
    putRest: async ({ v, resource, at, windows }) => {
      const item = { ...rateRestKey(resource), v, at, windows: [...windows] };
      await answerOf('write what is left of rates', client.send(new PutCommand({ TableName, Item: item })));
    },
    removeRest: async (resource) => {
      await answerOf('remove what is left of rates', client.send(new DeleteCommand({ TableName, Key: rateRestKey(resource) })));
    },
  };
}

function grantOf({ s, v, rates }: Item): RateGrant {
  const [tenant, type] = String(s).split('#');
  return rateGrantSchema.parse({ v, tenant, type, rates });
}

function restOf({ s, v, at, windows }: Item): RateRest {
  return rateRestSchema.parse({ v, resource: s, at, windows });
}
