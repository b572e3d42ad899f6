import { DeleteCommand, type DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { TaskTypes } from './handler.ts';

/** The partition of all task types: they are few, and read together. */
const PARTITION = 'Y';

/** Task types in the table, one item each: the spec as JSON text and the resource that wrote it. */
export function taskTypesIn(client: DynamoDBDocumentClient, table: string): TaskTypes {
  return {
    async put(spec, owner) {
      const item = { p: PARTITION, s: spec.type, v: 1, spec: JSON.stringify(spec), owner };
      await client.send(new PutCommand({ TableName: table, Item: item }));
    },

    async remove(type, owner) {
      try {
        await client.send(
          new DeleteCommand({
            TableName: table,
            Key: { p: PARTITION, s: type },
            // A type that moved to another stack or construct was written by the new resource before the old one is
            // deleted, and must outlive it.
            ConditionExpression: '#owner = :owner',
            ExpressionAttributeNames: { '#owner': 'owner' },
            ExpressionAttributeValues: { ':owner': owner },
          }),
        );
      } catch (error) {
        if (!isConditionFailure(error)) throw error;
      }
    },
  };
}

function isConditionFailure(error: unknown): boolean {
  return error instanceof Error && error.name === 'ConditionalCheckFailedException';
}
