import { type DynamoDBDocumentClient, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { conditionalAnswerOf, type Item } from './answers.ts';

/** Seconds since the epoch: an item that would go before `least` goes after `until`. */
export interface LongerLife {
  readonly least: number;
  readonly until: number;
}

/** Lets an item live longer, where it would not be long enough. One that has been deleted does not come back without what it said. */
export async function liveOn(client: DynamoDBDocumentClient, TableName: string, Key: Item, { least, until }: LongerLife): Promise<void> {
  const command = new UpdateCommand({
    TableName,
    Key,
    UpdateExpression: 'SET #ttl = :until',
    ConditionExpression: '#ttl < :least',
    ExpressionAttributeNames: { '#ttl': 'ttl' },
    ExpressionAttributeValues: { ':least': least, ':until': until },
  });
  await conditionalAnswerOf('keep an item', client.send(command));
}
