import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import type { Clock } from '../../core/ports/clock.ts';
import { answerOf } from './answers.ts';
import { endedRequestKey } from './keys.ts';

/** Seconds that the end of a request is kept: Lambda makes an event again for six hours at most. */
const KEPT_SECONDS = 86_400;

/** How a request of CloudFormation has ended. */
export const endedRequestSchema = z.object({
  v: z.literal(1),
  /** Of the resource, as CloudFormation was told. */
  physicalId: z.string(),
  /** Why it could not be done. @default it was done */
  failure: z.string().optional(),
});
export type EndedRequest = z.infer<typeof endedRequestSchema>;

/** The ends of requests, so that one which Lambda makes again after its end is answered as before and changes nothing. */
export interface EndedRequests {
  /** @param owner the resource that the request is about */
  readonly find: (owner: string, request: string) => Promise<EndedRequest | undefined>;
  readonly note: (owner: string, request: string, ended: EndedRequest) => Promise<void>;
}

/** Ended requests in DynamoDB, an item each, which goes by its time to live. */
export function createEndedRequests(
  client: DynamoDBDocumentClient,
  { table: TableName, clock }: { readonly table: string; readonly clock: Clock },
): EndedRequests {
  return {
    find: async (owner, request) => {
      const command = new GetCommand({ TableName, Key: endedRequestKey(owner, request), ConsistentRead: true });
      const { Item: item } = await answerOf('read an ended request', client.send(command));
      return item && endedRequestSchema.parse(item);
    },
    note: async (owner, request, ended) => {
      const ttl = Math.ceil(clock.now() / 1000) + KEPT_SECONDS;
      const command = new PutCommand({ TableName, Item: { ...endedRequestKey(owner, request), ...ended, ttl } });
      await answerOf('write an ended request', client.send(command));
    },
  };
}
