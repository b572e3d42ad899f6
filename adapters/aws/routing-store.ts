import type { RoutingDocument } from '@sluice/contracts';
import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { Clock } from '../../core/ports/clock.ts';
import type { RoutingMap, RoutingStore } from '../../core/ports/routing-store.ts';
import type { Telemetry } from '../../core/ports/telemetry.ts';
import { createSentCounts } from '../../core/routing/choose.ts';
import { ROUTING_KEPT_MS } from '../../core/routing/settings.ts';
import { answerOf, conditionalAnswerOf } from './answers.ts';
import { routingKey } from './keys.ts';
import { routingOfItem, type ReadRouting } from './type-registry.ts';

/** ms after which a document that routes somebody, or tells depths, is read anew. */
const REFRESH_MS = 5_000;

/** Nobody has written since it was read. */
const SAME_VERSION = 'version = :version';
const NONE = 'attribute_not_exists(p)';

export interface RoutingStoreConfig {
  readonly table: string;
}

/** The routing document in DynamoDB, beside the task types. */
export function createRoutingStore(client: DynamoDBDocumentClient, { table: TableName }: RoutingStoreConfig): RoutingStore {
  return {
    read: async () => {
      const command = new GetCommand({ TableName, Key: routingKey, ConsistentRead: true });
      return routingOfItem((await answerOf('read the routing', client.send(command))).Item);
    },
    write: async (document) => {
      const before = document.version - 1;
      const command = new PutCommand({
        TableName,
        Item: { ...routingKey, v: 1, version: document.version, routing: JSON.stringify(document) },
        ConditionExpression: before === 0 ? NONE : SAME_VERSION,
        ...(before > 0 && { ExpressionAttributeValues: { ':version': before } }),
      });
      return (await conditionalAnswerOf('write the routing', client.send(command))).met;
    },
  };
}

export interface RoutingMapConfig extends RoutingStoreConfig {
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  /** Where it is read in the background, with the task types. */
  readonly types: ReadRouting;
}

/**
 * What readers know of the routing. It comes with the task types, at no cost of its own; one that says anything is read
 * by itself every five seconds while it is used. Nobody waits for it, and what is too old is not used: see
 * {@link ROUTING_KEPT_MS}.
 */
export function createRoutingMap(client: DynamoDBDocumentClient, config: RoutingMapConfig): RoutingMap {
  const { table: TableName, clock, telemetry, types } = config;
  const sent = createSentCounts();
  let own: { readonly document: RoutingDocument | undefined; readonly readAt: number } | undefined;
  let reading = false;

  const refresh = async (): Promise<void> => {
    reading = true;
    const readAt = clock.now();
    try {
      // Half the price, and no more than a second older.
      const command = new GetCommand({ TableName, Key: routingKey, ConsistentRead: false });
      own = { document: routingOfItem((await answerOf('read the routing', client.send(command))).Item), readAt };
    } catch (error) {
      telemetry.log('warn', 'routing not refreshed', { error: String(error) });
    } finally {
      reading = false;
    }
  };

  return {
    known: () => {
      const read = types.routing();
      const latest = own && (!read || own.readAt > read.readAt) ? own : read;
      if (!latest?.document) return undefined;
      const age = clock.now() - latest.readAt;
      if (age >= REFRESH_MS && !reading && saysAnything(latest.document)) void refresh();
      return age < ROUTING_KEPT_MS ? { document: latest.document, sent } : undefined;
    },
  };
}

function saysAnything({ dedicated, moved, depths }: RoutingDocument): boolean {
  return dedicated.length > 0 || moved.length > 0 || depths !== undefined;
}
