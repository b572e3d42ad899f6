import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { readEnv } from '@sluice/contracts';
import { createResourceWriter, createTypeWriter } from '../../adapters/aws/type-registry.ts';
import { createHandler } from './handler.ts';

const env = readEnv('registrar', process.env);
const client = DynamoDBDocumentClient.from(new DynamoDBClient());

const table = env.SLUICE_TABLE;

export const handler = createHandler({
  taskTypes: createTypeWriter(client, { table }),
  resources: createResourceWriter(client, { table }),
  fetch,
});
