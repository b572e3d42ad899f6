import { principalRecordSchema } from '@sluice/contracts';
import { GetCommand } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { TokenStore } from '../../core/ports/token-store.ts';
import { answerOf } from './answers.ts';
import { principalKey } from './keys.ts';

export interface TokenStoreConfig {
  readonly table: string;
}

/** What is needed to know who signed a call, and no more: for functions that have no matter with tokens. */
export function createPrincipals(client: DynamoDBDocumentClient, config: TokenStoreConfig): Pick<TokenStore, 'findPrincipal'> {
  return {
    findPrincipal: async (arn) => {
      const command = new GetCommand({ TableName: config.table, Key: principalKey(arn), ConsistentRead: true });
      const { Item: item } = await answerOf('read a principal', client.send(command));
      return item && principalRecordSchema.parse({ ...item, arn });
    },
  };
}
