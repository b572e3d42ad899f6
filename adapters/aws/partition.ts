import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { Item } from './answers.ts';
import { allPages } from './pages.ts';

/** All items of a partition, read consistently. */
export function readPartition(client: DynamoDBDocumentClient, what: string, table: string, partition: string): Promise<readonly Item[]> {
  return allPages(what, (from) =>
    client.send(
      new QueryCommand({
        TableName: table,
        KeyConditionExpression: 'p = :p',
        ExpressionAttributeValues: { ':p': partition },
        ConsistentRead: true,
        ExclusiveStartKey: from,
      }),
    ),
  );
}
