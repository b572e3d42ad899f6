import { ConditionalCheckFailedException, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { defineTask } from '@sluice/handler';
import * as z from 'zod';

const table = DynamoDBDocumentClient.from(new DynamoDBClient({}));

/** Books a payment: one item for each task, of the newest attempt that wrote it. */
export const handler = defineTask({
  type: 'book-payment',
  input: z.object({ account: z.string(), cents: z.int() }),
  async run(ctx, { account, cents }) {
    try {
      await table.send(
        new UpdateCommand({
          TableName: process.env['PAYMENTS_TABLE'],
          // The same in every attempt of the task, and in no other task.
          Key: { payment: ctx.uid },
          UpdateExpression: 'SET account = :account, cents = :cents, fence = :fence ADD writes :one',
          // Neither a second run of this attempt nor one that has outlived a newer one.
          ConditionExpression: 'attribute_not_exists(fence) OR fence < :fence',
          ExpressionAttributeValues: { ':account': account, ':cents': cents, ':fence': ctx.fence, ':one': 1 },
        }),
        { abortSignal: ctx.signal },
      );
    } catch (error) {
      // It is booked already.
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
    }
    return { payment: ctx.uid };
  },
});
