import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { readEnv } from '@sluice/contracts';
import { createEndedRequests } from '../../adapters/aws/ended-requests.ts';
import { createTypeWriter } from '../../adapters/aws/type-registry.ts';
import { systemClock as clock } from '../../adapters/system.ts';
import { createHandler } from './handler.ts';

const env = readEnv('registrar', process.env);
const client = DynamoDBDocumentClient.from(new DynamoDBClient());

const table = env.SLUICE_TABLE;

export const handler = createHandler({
  taskTypes: createTypeWriter(client, { table }),
  requests: createEndedRequests(client, { table, clock }),
  fetch,
});
