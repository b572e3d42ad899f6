import { tokenRecordSchema, type TokenRecord } from '@sluice/contracts';
import { DeleteCommand, GetCommand, PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { tokenIdOf } from '../../core/auth/token-record.ts';
import type { TokenStore } from '../../core/ports/token-store.ts';
import { answerOf, conditionalAnswerOf, type Item } from './answers.ts';
import { principalKey, tokenDirectory, tokenEntryKey, tenantListKey, tenantListPartitions, tokenKey } from './keys.ts';
import { allPages } from './pages.ts';
import { readPartition } from './partition.ts';
import { createPrincipals, type TokenStoreConfig } from './principals.ts';

const STILL_THERE = 'attribute_exists(p)';

/** Tokens and principals in DynamoDB. Reads are consistent: a token that was removed is refused at once. */
export function createTokenStore(client: DynamoDBDocumentClient, config: TokenStoreConfig): TokenStore {
  const { table: TableName } = config;
  const read = async (what: string, Key: Item): Promise<Item | undefined> =>
    (await answerOf(what, client.send(new GetCommand({ TableName, Key, ConsistentRead: true })))).Item;
  const write = async (what: string, item: Item): Promise<void> => {
    await answerOf(what, client.send(new PutCommand({ TableName, Item: item })));
  };
  const rewrite = async (what: string, item: Item): Promise<void> => {
    await conditionalAnswerOf(what, client.send(new PutCommand({ TableName, Item: item, ConditionExpression: STILL_THERE })));
  };
  const remove = async (what: string, Key: Item): Promise<void> => {
    await answerOf(what, client.send(new DeleteCommand({ TableName, Key })));
  };

  return {
    find: async (hash) => {
      const item = await read('read a token', tokenKey(hash));
      return item && tokenRecordSchema.parse({ ...item, hash });
    },
    put: (record) => write('write a token', tokenItem(record)),
    remove: (hash) => remove('remove a token', tokenKey(hash)),

    noted: async (tenant) => {
      const items = await readPartition(client, 'list tokens', TableName, tokenDirectory(tenant));
      return items.map((item) => tokenRecordSchema.parse(item));
    },
    lookUp: async (tenant, id) => {
      const item = await read('look up a token', tokenEntryKey(tenant, id));
      return item && tokenRecordSchema.parse(item);
    },
    note: async (record) => {
      await write('note a tenant', { ...tenantListKey(record.tenant), v: 1 });
      await write('note a token', entryItem(record));
    },
    tenants: async () => {
      const parts = tenantListPartitions().map((partition) =>
        allPages('list tenants', (from) =>
          client.send(
            new QueryCommand({
              TableName,
              KeyConditionExpression: 'p = :p',
              ExpressionAttributeValues: { ':p': partition },
              ExclusiveStartKey: from,
            }),
          ),
        ),
      );
      return (await Promise.all(parts)).flat().map((item) => String(item['s']));
    },
    forget: (tenant, id) => remove('forget a token', tokenEntryKey(tenant, id)),
    renew: async (record) => {
      await rewrite('write a token', tokenItem(record));
      await rewrite('note a token', entryItem(record));
    },

    ...createPrincipals(client, config),
    putPrincipal: ({ arn, ...record }) => write('write a principal', { ...principalKey(arn), ...record }),
  };
}

function tokenItem({ hash, ...record }: TokenRecord): Item {
  return { ...tokenKey(hash), ...record, ...timeToLive(record) };
}

function entryItem(record: TokenRecord): Item {
  return { ...tokenEntryKey(record.tenant, tokenIdOf(record.hash)), ...record, ...timeToLive(record) };
}

function timeToLive({ expiresAt }: Pick<TokenRecord, 'expiresAt'>): Item {
  return expiresAt === undefined ? {} : { ttl: Math.ceil(expiresAt / 1000) };
}
