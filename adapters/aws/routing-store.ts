import type { RoutingDocument } from '@sluice/contracts';
import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { look, newKept } from '../../core/kept/kept.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { RoutingMap, RoutingStore } from '../../core/ports/routing-store.ts';
import type { Telemetry } from '../../core/ports/telemetry.ts';
import type { Timer } from '../../core/ports/timer.ts';
import { createSentCounts } from '../../core/routing/choose.ts';
import { ROUTING_KEPT_MS } from '../../core/routing/settings.ts';
import { answerOf, conditionalAnswerOf } from './answers.ts';
import { routingKey } from './keys.ts';
import { routingOfItem, type ReadRouting } from './type-registry.ts';

/** ms after which one that says nothing is waited for: where anything is used, it comes with the task types more often. */
const CALM_MS = 40_000;

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
  readonly timer: Timer;
  readonly telemetry: Telemetry;
  /** Where it is read in the background, with the task types. */
  readonly types: ReadRouting;
}

/**
 * What readers know of the routing. It comes with the task types, at no cost of its own; one that says anything is read
 * by itself every five seconds while it is used. What is too old is not used: see {@link ROUTING_KEPT_MS}.
 */
export function createRoutingMap(client: DynamoDBDocumentClient, config: RoutingMapConfig): RoutingMap {
  const { table: TableName, clock, telemetry, types } = config;
  const sent = createSentCounts();
  const kept = newKept<RoutingDocument>();

  const latest = () => {
    const read = types.routing();
    if (read && read.readAt > kept.readAt) {
      kept.value = read.document;
      kept.readAt = read.readAt;
    }
    return { document: kept.value, age: clock.now() - kept.readAt };
  };

  /** Half the price of a consistent read, and no more than a second older. */
  const refresh = async (): Promise<RoutingDocument | undefined> => {
    const command = new GetCommand({ TableName, Key: routingKey, ConsistentRead: false });
    return routingOfItem((await answerOf('read the routing', client.send(command))).Item);
  };

  const lookAnew = (): Promise<void> | undefined =>
    look(config, kept, refresh, (error) => telemetry.log('warn', 'routing not refreshed', { error: String(error) }));

  return {
    known: () => {
      const { document, age } = latest();
      if (!document) return undefined;
      if (saysAnything(document)) void lookAnew();
      return age < ROUTING_KEPT_MS ? { document, sent } : undefined;
    },
    ready: () => {
      const { document, age } = latest();
      return age >= CALM_MS || (document && saysAnything(document)) ? lookAnew() : undefined;
    },
  };
}

function saysAnything({ dedicated, moved, depths }: RoutingDocument): boolean {
  return dedicated.length > 0 || moved.length > 0 || depths !== undefined;
}
