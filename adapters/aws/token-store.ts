import { principalRecordSchema, tokenRecordSchema } from '@sluice/contracts';
import { DeleteCommand, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { TokenStore } from '../../core/ports/token-store.ts';
import { answerOf, type Item } from './answers.ts';
import { principalKey, tokenKey } from './keys.ts';

export interface TokenStoreConfig {
  readonly table: string;
}

/** Tokens and principals in DynamoDB. Reads are consistent: a token that was removed is refused at once. */
export function createTokenStore(client: DynamoDBDocumentClient, config: TokenStoreConfig): TokenStore {
  const { table: TableName } = config;
  const read = async (what: string, Key: Item): Promise<Item | undefined> =>
    (await answerOf(what, client.send(new GetCommand({ TableName, Key, ConsistentRead: true })))).Item;

  return {
    find: async (hash) => {
      const item = await read('read a token', tokenKey(hash));
      return item && tokenRecordSchema.parse({ ...item, hash });
    },
    put: async ({ hash, ...record }) => {
      const item = { ...tokenKey(hash), ...record };
      await answerOf('write a token', client.send(new PutCommand({ TableName, Item: item })));
    },
    remove: async (hash) => {
      await answerOf('remove a token', client.send(new DeleteCommand({ TableName, Key: tokenKey(hash) })));
    },
    findPrincipal: async (arn) => {
      const item = await read('read a principal', principalKey(arn));
      return item && principalRecordSchema.parse({ ...item, arn });
    },
    putPrincipal: async ({ arn, ...record }) => {
      const item = { ...principalKey(arn), ...record };
      await answerOf('write a principal', client.send(new PutCommand({ TableName, Item: item })));
    },
  };
}
