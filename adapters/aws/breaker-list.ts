import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { BreakerList } from '../../core/ports/breaker-list.ts';
import type { Telemetry } from '../../core/ports/telemetry.ts';
import { breakerRange, TYPES_PARTITION } from './keys.ts';
import { allPages } from './pages.ts';
import { breakerOfItem } from './type-registry.ts';

export interface BreakerListConfig {
  readonly table: string;
  readonly telemetry: Telemetry;
}

/** The breakers in DynamoDB, which lie side by side. */
export function createBreakerList(client: DynamoDBDocumentClient, { table, telemetry }: BreakerListConfig): BreakerList {
  return {
    all: async () => {
      const [from, to] = breakerRange;
      const items = await allPages('read breakers', (start) =>
        client.send(
          new QueryCommand({
            TableName: table,
            KeyConditionExpression: 'p = :p AND s BETWEEN :from AND :to',
            ExpressionAttributeValues: { ':p': TYPES_PARTITION, ':from': from, ':to': to },
            ConsistentRead: true,
            ExclusiveStartKey: start,
          }),
        ),
      );
      return items.flatMap((item) => {
        const breaker = breakerOfItem(item);
        if (!breaker) telemetry.log('error', 'breaker that cannot be read', { key: item['s'] });
        return breaker ?? [];
      });
    },
  };
}
